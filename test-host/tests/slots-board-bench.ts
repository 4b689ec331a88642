/** A whole board with two slots, by the table of partitions/two-slots-4m.csv, for a test. */
import { readFileSync } from "node:fs";
import { parseCSV } from "../../tools/partitions/csv";
import { makeFirmware } from "../virtual/firmware";
import type { Settings } from "../virtual/modules";
import { slotsFlash } from "../virtual/slots-flash";
import { BoardBench, type BoardBenchOptions } from "./board-bench";

export const PARTITIONS = parseCSV(
	readFileSync(new URL("../../partitions/two-slots-4m.csv", import.meta.url), "utf8"),
);
export const OTA_0 = 0x10000;
export const OTA_1 = 0x110000;

const made = new Map<string, Promise<Uint8Array>>();

/** main.ts as an image for either slot; `settings`: in its configuration. */
export function slotFirmware(version: string, settings: Settings = {}, padTo?: number): Promise<Uint8Array> {
	const key = JSON.stringify([version, settings, padTo]);
	const firmware = made.get(key) ?? makeFirmware({ version, settings, padTo, slot: OTA_0 });
	made.set(key, firmware);
	return firmware;
}

/** A board that has started what a cable left in its first slot. */
export async function startedInSlot(options: BoardBenchOptions = {}): Promise<BoardBench> {
	const bench = new BoardBench(options);
	bench.board.flashByCable(slotsFlash(PARTITIONS, await slotFirmware("1.0.0")));
	await bench.powerOn();
	return bench;
}
