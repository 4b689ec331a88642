import flash from "embedded:storage/flash";
import type { Board } from "./board";
import type { BootStrategy } from "./boot";
import { OwnBootStrategy } from "./boot-record/own-boot-strategy";
import { readConfig } from "./boot-record/read-config";
import { EbootStrategy } from "./eboot";
import { TABLE_NAME } from "./slots/partition-table";
import { PartitionTableStrategy } from "./slots/partition-table-strategy";

/**
 * The strategy of the boot loader that this board has: with a partition table in its flash Espressif's RTOS boot
 * loader, with a configuration at flash 0x10 our own, else eboot. Begins or ends the trial of what runs, so it comes first at a start. `gzip`: as EbootStrategy's.
 */
export function bootStrategy(board: Board, options: { gzip?: boolean } = {}): BootStrategy {
	const strategy = hasTable() ? new PartitionTableStrategy(board) : copyingStrategy(board, options);
	strategy.trial?.begin();
	return strategy;
}

function copyingStrategy(board: Board, options: { gzip?: boolean }): BootStrategy {
	const config = readConfig();
	return config ? new OwnBootStrategy(board, config) : new EbootStrategy(board, options);
}

/** Of its own, since what is made of it goes deep. */
function hasTable(): boolean {
	for (const name of flash) if (name === TABLE_NAME) return true;
	return false;
}
