/** How the SDK's natives take their arguments and options. */

/** XS's conversion to an integer: a string counts as its number, what is no number as 0. Symbols throw TypeError. */
export function integerOf(value: unknown): number {
	return Math.trunc(Number(value)) || 0;
}

/** Throws Error where there is none, RangeError where no socket has it. */
export function portOf(value: unknown): number {
	if (value === undefined) throw new Error("invalid");
	const port = integerOf(value);
	if (port < 0 || port > 65535) throw new RangeError("invalid port");
	return port;
}

/** The function, or undefined where none is given. Throws Error for anything else. */
export function callbackOf<Callback>(value: Callback | null | undefined): Callback | undefined {
	if (value === undefined || value === null) return undefined;
	if (typeof value !== "function") throw new Error("not a function");
	return value;
}

/** Throws RangeError where `value` is none of `known`, TypeError where it is a symbol. */
export function formatOf<Format extends string>(value: unknown, known: readonly Format[]): Format {
	const name = `${value}`;
	const format = known.find((one) => one === name);
	if (format === undefined) throw new RangeError("unknown format");
	return format;
}
