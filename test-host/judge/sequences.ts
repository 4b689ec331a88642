/**
 * Lives of a board, drawn from a seed: updates of every kind, good and damaged, power cuts, resets, torn and failing flash operations,
 * damage to every region. After each start it must have come up with something whole, or say why it can't.
 */
import { gzipSync } from "node:zlib";
import { SECTOR } from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";
import { Noise } from "../virtual/noise";
import { ResetCause } from "../virtual/outcome";
import type { JudgedBoard } from "./board";
import type { Judged } from "./cuts";
import { applicationOf, firmware } from "./images";
import { FLASH_SIZE, STAGING } from "./places";
import { encodeIntention, RecordFlag, RecordState } from "./record";

/** Firmware of one sector, of nearly two, and a little more. */
const FILES: readonly Uint8Array[] = [
	firmware({ seed: 11, length: 2 * SECTOR - 2500 }),
	firmware({ seed: 12, length: 2 * SECTOR - 800, packed: true }),
	firmware({ seed: 13, length: 2 * SECTOR + 600, confirms: false }),
];
const ZIPPED = FILES.map((file) => new Uint8Array(gzipSync(file, { level: 9 })));
const STARTS_MAX = 5;

/** Whether one of them begins there. */
function holdsFile(cells: Uint8Array): boolean {
	return FILES.some(
		(file) => Buffer.compare(cells.subarray(0, file.length - SECTOR), applicationOf(file)) === 0,
	);
}

export interface Tally {
	starts: number;
	cuts: number;
	/** Starts that brought up one of the firmware files, whole. */
	whole: number;
	/** Starts after damage that left nothing whole to start. */
	waits: number;
	/** A damaged application whose checksum, of eight bits, happens to be right. */
	blind: number;
	bricks: number;
}

export class Life {
	readonly #judged: Judged;
	readonly #config: BootConfig;
	readonly #seed: number;
	readonly #noise: Noise;
	/** Something other than the boot loader and the power has changed what it stands on. */
	#isDamaged = false;
	#isRunning = true;
	#bootLoader: Uint8Array = new Uint8Array();

	constructor(judged: Judged, config: BootConfig, seed: number) {
		this.#judged = judged;
		this.#config = config;
		this.#seed = seed;
		this.#noise = new Noise(seed);
	}

	/** Throws where a start ended in none of the ways that it may. */
	live(bootLoader: Uint8Array, tally: Tally): void {
		const running = this.#pick(FILES);
		this.#bootLoader = bootLoader;
		this.#judged.each((board) => {
			board.renew(bootLoader, this.#seed);
			board.put(SECTOR, applicationOf(running));
		});
		for (let i = 0; i < STARTS_MAX; i++) {
			// Only what runs can do that.
			if (this.#isRunning && (i === 0 || this.#chance(3))) this.#update();
			if (this.#isRunning && this.#chance(4)) this.#confirm();
			if (this.#chance(8)) this.#damage();
			this.#isRunning = this.#start(tally);
		}
		// Left alone, it settles.
		this.#start(tally, true);
		this.#start(tally, true);
	}

	/** Whether a copy of the second stage is whole: without it the loader starts what there is, and brings nothing back. */
	#hasStage(): boolean {
		const { stages } = this.#config;
		return [stages, stages + SECTOR].some((start) => {
			const range = [start, start + SECTOR] as const;
			return (
				Buffer.compare(this.#judged.machine.cells.subarray(...range), this.#bootLoader.subarray(...range)) ===
				0
			);
		});
	}

	/** Whether the application has come up. */
	#start(tally: Tally, quiet = false): boolean {
		const kinds = ["power before", "power during", "power after", "torn", "fail", "ignored"] as const;
		const isFaulty = !quiet && this.#chance(2);
		const kind = this.#pick(kinds);
		const after = this.#below(this.#chance(2) ? 12 : 80);
		if (isFaulty) this.#judged.arm(after, kind);
		const ending = this.#judged.start(this.#chance(2) ? ResetCause.RESET : ResetCause.POWER);
		tally.starts += 1;
		this.#judged.each((board) => board.control.disarm());
		if (ending === "cut") {
			tally.cuts += 1;
			if (this.#chance(2)) this.#judged.cutPower();
			else this.#judged.reset();
			return false;
		}
		const { machine } = this.#judged;
		const isWhole = holdsFile(machine.cells.subarray(SECTOR));
		const { previous } = this.#config;
		const isKept = previous > 0 && holdsFile(machine.cells.subarray(previous)) && this.#hasStage();
		if (ending === "application" && isWhole) tally.whole += 1;
		else if (ending === "application" && this.#isDamaged) tally.blind += 1;
		else if (
			ending === "waits" &&
			!isWhole &&
			!isKept &&
			this.#isDamaged &&
			machine.uart.includes("flash me")
		)
			tally.waits += 1;
		// A flash that fails twice in the same place is no whole one: it is tried again at the next start.
		else if (ending === "waits" && isFaulty && machine.uart.includes("flash me")) tally.waits += 1;
		else {
			tally.bricks += 1;
			throw new Error(`${ending}, ${isWhole ? "whole" : isKept ? "kept" : "not whole"}: ${machine.uart}`);
		}
		// Some restart with their RTC memory, some without.
		if (this.#chance(2)) this.#judged.cutPower();
		return ending === "application";
	}

	#update(): void {
		const index = this.#below(FILES.length);
		const isGzip = this.#chance(8);
		const result = FILES[index] ?? new Uint8Array();
		const staged = (isGzip ? ZIPPED : FILES)[index]?.slice() ?? new Uint8Array();
		const isBad = this.#chance(4);
		const size = this.#chance(30) ? this.#below(0x50000) : staged.length;
		const source = this.#chance(6) ? SECTOR * this.#below(64) : STAGING;
		const isCommanded = this.#chance(2);
		const isTrial = this.#chance(2);
		const unknown = isGzip ? RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN : 0;
		const flags = unknown | (isTrial ? RecordFlag.TRIAL : 0);
		const intention = { flags, source, destination: 0, staged, result };
		if (isBad) staged[SECTOR + this.#below(Math.max(1, staged.length - SECTOR))] = this.#below(256);
		// Of a raw image that comes without a CRC the checksum covers the data alone.
		if (isBad && isCommanded && !isGzip) this.#isDamaged = true;
		const own = [this.#config.record, this.#config.stages, this.#config.previous || this.#config.record];
		const isElsewhere = source !== STAGING;
		// What is staged elsewhere may lie over anything that the application may write to.
		if (isElsewhere && (source < 4 * SECTOR || own.some((place) => Math.abs(place - source) < 6 * SECTOR)))
			return;
		this.#judged.each((board) => {
			board.put(source, staged.subarray(0, FLASH_SIZE - source));
			if (isCommanded) board.command(source, 0, size);
			else {
				board.erase(this.#config.record, SECTOR);
				board.put(this.#config.record, encodeIntention(intention));
			}
		});
	}

	#confirm(): void {
		const at = this.#config.record + RecordState.CONFIRMED;
		this.#judged.each((board) => board.cells.fill(0, at, at + 4));
	}

	/** Bits that flip, or a sector of noise, in any region but the boot loader's own first sector. */
	#damage(): void {
		const { record, stages, previous, applicationEnd } = this.#config;
		const regions = [
			SECTOR,
			2 * SECTOR,
			record,
			stages,
			stages + SECTOR,
			previous || STAGING,
			STAGING,
			applicationEnd,
		];
		const region = this.#pick(regions);
		const isNoise = this.#chance(3);
		const garbage = new Noise(this.#noise.next()).fill(new Uint8Array(SECTOR));
		const at = region + this.#below(this.#chance(2) ? 256 : SECTOR);
		const bit = 1 << this.#below(8);
		this.#isDamaged = true;
		this.#judged.each((board: JudgedBoard) => {
			if (isNoise) board.put(region, garbage);
			else board.cells[at] = (board.cells[at] ?? 0) ^ bit;
		});
	}

	/** Once in `n` times. */
	#chance(n: number): boolean {
		return this.#below(n) === 0;
	}

	#below(n: number): number {
		return this.#noise.next() % n;
	}

	#pick<T>(from: readonly T[]): T {
		return from[this.#below(from.length)] as T;
	}
}
