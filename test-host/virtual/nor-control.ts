/**
 * The flash chip's power, its operation counter and the faults it is to have, in words that threads or processes
 * share: a test arms them in one, the board meets them in another.
 */
import { Noise } from "./noise";
import { SharedWords, type Words } from "./words";

export type FlashOperation = "erase" | "program";

const faultKinds = ["fail", "torn", "ignored", "power before", "power during", "power after"] as const;
export type FaultKind = (typeof faultKinds)[number];

/**
 * - fail: reports a failure, nothing changed
 * - torn: reports a failure, part of the bits changed
 * - ignored: reports success, nothing changed
 * - power before, during, after: the power goes before, within (part of the bits changed) or after the operation
 */
export interface Fault {
	/** The operation it hits, or the first one after it that `only` lets pass. The first of all has number 0. */
	at: number;
	kind: FaultKind;
	/** Hits only operations of this type. */
	only?: FlashOperation;
	/** Hits every operation from `at` on, not one. */
	repeat?: boolean;
}

/** The chip reported that an operation failed. */
export class FlashFault extends Error {}

/** The board lost its power: whatever was running is over. */
export class PowerCut extends Error {}

const POWERED = 0;
const OPERATIONS = 1;
const SEED = 2;
const FAULTS = 3;
/** at, kind (0: none, else 1 + its index), operation (0: any, 1: erase, 2: program), repeat. */
const FAULT_WORDS = 4;
const FAULTS_MAX = 16;
const BEATS = FAULTS + FAULTS_MAX * FAULT_WORDS;
export const CONTROL_LENGTH = 4 * (BEATS + 1);

export class NorControl {
	readonly #words: Words;

	/** Of words that another thread or process made a control of, the same control. */
	constructor(words: Words) {
		this.#words = words;
	}

	/** A new one: powered, at operation 0, without faults; `seed` chooses which bits a torn operation changes. */
	static create(seed = 1, words: Words = new SharedWords(new SharedArrayBuffer(CONTROL_LENGTH))): NorControl {
		const control = new NorControl(words);
		control.renew(seed);
		return control;
	}

	/** As a new one. */
	renew(seed = 1): void {
		const words = this.#words;
		this.disarm();
		words.store(SEED, seed);
		words.store(OPERATIONS, 0);
		words.store(POWERED, 1);
	}

	/** In shared memory: give it to another thread, as `new SharedWords(buffer)`. */
	get words(): Words {
		return this.#words;
	}

	/** Counted up by the application's event loop: the watchdog's food. */
	get beats(): number {
		return this.#words.load(BEATS);
	}

	beat(): void {
		this.#words.add(BEATS, 1);
	}

	/** Operations begun so far, which is the number of the next one. */
	get operations(): number {
		return this.#words.load(OPERATIONS);
	}

	get powered(): boolean {
		return this.#words.load(POWERED) !== 0;
	}

	powerOn(): void {
		this.#words.store(POWERED, 1);
	}

	powerOff(): void {
		this.#words.store(POWERED, 0);
	}

	/** Arms one more fault. Throws RangeError where there are 16 already. */
	arm(fault: Fault): void {
		const words = this.#words;
		let slot = FAULTS;
		while (slot < BEATS && words.load(slot + 1) !== 0) slot += FAULT_WORDS;
		if (slot >= BEATS) throw new RangeError(`more than ${FAULTS_MAX} faults armed`);
		words.store(slot, fault.at);
		words.store(slot + 2, fault.only === undefined ? 0 : operationCode(fault.only));
		words.store(slot + 3, fault.repeat ? 1 : 0);
		// The kind last: with it the other thread sees the fault.
		words.store(slot + 1, 1 + faultKinds.indexOf(fault.kind));
	}

	/** Forgets every armed fault. */
	disarm(): void {
		for (let slot = FAULTS; slot < BEATS; slot += FAULT_WORDS) this.#words.store(slot + 1, 0);
	}

	/** Counts an operation of the chip; says which fault hits it. A fault that does not repeat is then spent. */
	begin(operation: FlashOperation): FaultKind | undefined {
		const words = this.#words;
		const number = words.add(OPERATIONS, 1);
		for (let slot = FAULTS; slot < BEATS; slot += FAULT_WORDS) {
			const kind = words.load(slot + 1);
			const only = words.load(slot + 2);
			if (kind === 0 || number < words.load(slot)) continue;
			if (only !== 0 && only !== operationCode(operation)) continue;
			if (words.load(slot + 3) === 0) words.store(slot + 1, 0);
			return faultKinds[kind - 1];
		}
		return undefined;
	}

	/** Noise that belongs to the operation begun last: the bits that it tears. */
	noise(): Noise {
		return new Noise(Math.imul(this.#words.load(SEED), 0x01000193) ^ this.operations);
	}
}

function operationCode(operation: FlashOperation): number {
	return operation === "erase" ? 1 : 2;
}
