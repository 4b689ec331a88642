declare module "measure" {
	/** Adds to the measure of that name what comes until `stop`. */
	export function start(name: string): void;
	export function stop(): void;
	/** Loads a word at an odd place: a fault. */
	export function loadOdd(): number;
}
