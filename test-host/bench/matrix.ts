/** Runs rows under conditions, each in virtual time: the same figures each time. */
import { type FlashCosts, flashLimit } from "./figures";
import { Updates } from "./flash-before";
import type { Condition, Row } from "./rows";
import type { Phases, simulate } from "./simulation";

/** Runs of which the mean is taken where packets are lost: which ones is chance. */
const SEEDS = [1, 2, 3];

export interface Result extends Phases {
	row: Row;
	condition: Condition;
	/** Bytes sent. */
	sent: number;
	/** Seconds, all phases. */
	total: number;
	/** Times that the transfer takes as long as the flash does that is erased by sectors, and by blocks. */
	bySectors: number;
	byBlocks: number;
}

export interface MatrixOptions {
	simulate: typeof simulate;
	rows: readonly Row[];
	conditions: readonly Condition[];
	flash: FlashCosts;
	/** Bytes of the firmware; the bench's where not given. */
	imageLength?: number;
}

export function runMatrix(options: MatrixOptions): Result[] {
	const { simulate, rows, conditions, flash, imageLength } = options;
	const updates = new Updates(imageLength);
	return conditions.flatMap((condition) =>
		rows.map((row): Result => {
			const seeds = condition.loss > 0 ? SEEDS : SEEDS.slice(0, 1);
			const { way, savings } = row;
			const update = updates.of(row);
			const runs = seeds.map((seed) =>
				simulate({ ...update, way, savings, flash, air: { ...condition, seed } }),
			);
			const phases = mean(runs);
			const { transfer, verification, copy, start } = phases;
			const { length: sent } = update.sent;
			return {
				...phases,
				row,
				condition,
				sent,
				total: transfer + verification + copy + start,
				bySectors: (transfer * flashLimit(flash, "sector")) / sent,
				byBlocks: (transfer * flashLimit(flash, "block")) / sent,
			};
		}),
	);
}

function mean(runs: readonly Phases[]): Phases {
	const of = (name: keyof Phases) => runs.reduce((sum, run) => sum + run[name], 0) / runs.length;
	return {
		transfer: of("transfer"),
		verification: of("verification"),
		copy: of("copy"),
		start: of("start"),
		computing: of("computing"),
		waiting: of("waiting"),
	};
}
