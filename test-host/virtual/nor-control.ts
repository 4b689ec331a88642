/**
 * The flash chip's power, its operation counter and the faults it is to have, in shared memory: a test in one
 * thread arms them, the board in another meets them.
 */
import { Noise } from "./noise";

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
const WORDS = FAULTS + FAULTS_MAX * FAULT_WORDS;

export class NorControl {
	/** Give it to another thread; `new NorControl(buffer)` there is the same control. */
	readonly buffer: SharedArrayBuffer;
	readonly #words: Int32Array;

	/** A new control is powered, at operation 0, without faults; `seed` chooses which bits a torn operation changes. */
	constructor(buffer?: SharedArrayBuffer, seed = 1) {
		this.buffer = buffer ?? new SharedArrayBuffer(4 * WORDS);
		this.#words = new Int32Array(this.buffer);
		if (buffer) return;
		Atomics.store(this.#words, SEED, seed);
		Atomics.store(this.#words, POWERED, 1);
	}

	/** Operations begun so far, which is the number of the next one. */
	get operations(): number {
		return Atomics.load(this.#words, OPERATIONS);
	}

	get powered(): boolean {
		return Atomics.load(this.#words, POWERED) !== 0;
	}

	powerOn(): void {
		Atomics.store(this.#words, POWERED, 1);
	}

	powerOff(): void {
		Atomics.store(this.#words, POWERED, 0);
	}

	/** Arms one more fault. Throws RangeError where there are 16 already. */
	arm(fault: Fault): void {
		const words = this.#words;
		let slot = FAULTS;
		while (slot < WORDS && Atomics.load(words, slot + 1) !== 0) slot += FAULT_WORDS;
		if (slot >= WORDS) throw new RangeError(`more than ${FAULTS_MAX} faults armed`);
		Atomics.store(words, slot, fault.at);
		Atomics.store(words, slot + 2, fault.only === undefined ? 0 : operationCode(fault.only));
		Atomics.store(words, slot + 3, fault.repeat ? 1 : 0);
		// The kind last: with it the other thread sees the fault.
		Atomics.store(words, slot + 1, 1 + faultKinds.indexOf(fault.kind));
	}

	/** Forgets every armed fault. */
	disarm(): void {
		for (let slot = FAULTS; slot < WORDS; slot += FAULT_WORDS) Atomics.store(this.#words, slot + 1, 0);
	}

	/** Counts an operation of the chip; says which fault hits it. A fault that does not repeat is then spent. */
	begin(operation: FlashOperation): FaultKind | undefined {
		const words = this.#words;
		const number = Atomics.add(words, OPERATIONS, 1);
		for (let slot = FAULTS; slot < WORDS; slot += FAULT_WORDS) {
			const kind = Atomics.load(words, slot + 1);
			const only = Atomics.load(words, slot + 2);
			if (kind === 0 || number < Atomics.load(words, slot)) continue;
			if (only !== 0 && only !== operationCode(operation)) continue;
			if (Atomics.load(words, slot + 3) === 0) Atomics.store(words, slot + 1, 0);
			return faultKinds[kind - 1];
		}
		return undefined;
	}

	/** Noise that belongs to the operation begun last: the bits that it tears. */
	noise(): Noise {
		return new Noise(Math.imul(Atomics.load(this.#words, SEED), 0x01000193) ^ this.operations);
	}
}

function operationCode(operation: FlashOperation): number {
	return operation === "erase" ? 1 : 2;
}
