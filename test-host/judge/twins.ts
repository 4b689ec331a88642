/** Two boards that live through the same: one boots by the machine code, one by its model. They must agree. */
import { bootMachine } from "../lx106/boot/boot";
import type { FaultKind } from "../virtual/nor";
import type { Outcome, ResetCause } from "../virtual/outcome";
import { runOwnBoot } from "../virtual/own-boot/boot";
import { runROM } from "../virtual/rom";
import { RTC_LENGTH } from "../virtual/rtc";
import { hex8, hex32 } from "../virtual/uart";
import { type Ending, JudgedBoard, type Start } from "./board";
import type { Judged } from "./cuts";

type Jump = Extract<Outcome, { kind: "jump" }>;

export class Twins implements Judged {
	readonly machine = new JudgedBoard(bootMachine);
	readonly model = new JudgedBoard(bootModel);
	readonly #rtc = { machine: new Uint8Array(RTC_LENGTH), model: new Uint8Array(RTC_LENGTH) };

	each(act: (board: JudgedBoard) => void): void {
		act(this.machine);
		act(this.model);
	}

	renew(cells: Uint8Array, seed?: number): void {
		this.each((board) => board.renew(cells, seed));
	}

	put(address: number, bytes: Uint8Array): void {
		this.each((board) => board.put(address, bytes));
	}

	erase(address: number, length: number): void {
		this.each((board) => board.erase(address, length));
	}

	command(source: number, destination: number, size: number, action?: number): void {
		this.each((board) => board.command(source, destination, size, action));
	}

	arm(after: number, kind: FaultKind): void {
		this.each((board) => board.arm(after, kind));
	}

	cutPower(): void {
		this.each((board) => board.cutPower());
	}

	reset(): void {
		this.each((board) => board.reset());
	}

	/** Throws Error where they do not agree, which says how. */
	start(cause?: ResetCause): Ending {
		const ending = this.machine.start(cause);
		const modelled = this.model.start(cause);
		const difference =
			this.#outside() ??
			differ("ending", ending, modelled) ??
			(ending === "application" ? this.#application() : undefined);
		if (difference === undefined) return ending;
		const said = `machine code: ${JSON.stringify(this.machine.uart)}\nmodel: ${JSON.stringify(this.model.uart)}`;
		throw new Error(`the model is not the machine code, ${difference}\n${said}`);
	}

	/** All that can be seen from outside. */
	#outside(): string | undefined {
		const { machine, model } = this;
		const rtc = this.#rtc;
		machine.rtc.read(0, rtc.machine);
		model.rtc.read(0, rtc.model);
		return (
			firstDifference("flash", 0, machine.cells, model.cells) ??
			differ("UART", machine.uart, model.uart) ??
			differ("flash operations", machine.operations, model.operations) ??
			firstDifference("RTC memory", 0, rtc.machine, rtc.model)
		);
	}

	/** What runs, and in what memory. Of the machine's all is known, of the model's what was loaded. */
	#application(): string | undefined {
		const { application: machine } = this.machine;
		const { application: model } = this.model;
		if (!machine || !model) return "one of them started nothing";
		return differ("entry", hex32(machine.entry), hex32(model.entry)) ?? memoryDifference(machine, model);
	}
}

function bootModel({ flash, rtc, print, cause }: Start): Outcome {
	const outcome = runROM({ flash, print, cause });
	return outcome.kind === "jump" ? runOwnBoot({ flash, rtc, print }) : outcome;
}

function memoryDifference(machine: Jump, model: Jump): string | undefined {
	const { loads } = model.memory;
	// Where no segment lies over another one, each is as it was loaded.
	for (const [i, { address, data }] of loads.entries()) {
		const there = machine.memory.read(address, data.length) ?? new Uint8Array();
		if (Buffer.compare(there, data) === 0) continue;
		const loaded = data.slice();
		for (const later of loads.slice(i + 1)) overlay(loaded, address, later.data, later.address);
		const difference = firstDifference("memory", address, there, loaded);
		if (difference !== undefined) return difference;
	}
	return undefined;
}

function overlay(under: Uint8Array, start: number, over: Uint8Array, at: number): void {
	const from = Math.max(start, at);
	const to = Math.min(start + under.length, at + over.length);
	if (from < to) under.set(over.subarray(from - at, to - at), from - start);
}

function differ(what: string, machine: string | number, model: string | number): string | undefined {
	return machine === model ? undefined : `${what}: ${machine}, not ${model}`;
}

/** The first byte that is not the same, of bytes that lie at `start`. */
function firstDifference(
	what: string,
	start: number,
	machine: Uint8Array,
	model: Uint8Array,
): string | undefined {
	if (Buffer.compare(machine, model) === 0) return undefined;
	const at = machine.findIndex((byte, i) => byte !== model[i]);
	if (at < 0 || at >= model.length) return `${what}: ${machine.length} bytes, not ${model.length}`;
	return `${what} at 0x${hex32(start + at)}: ${hex8(machine[at] ?? 0)}, not ${hex8(model[at] ?? 0)}`;
}
