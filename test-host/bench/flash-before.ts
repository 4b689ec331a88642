/** What a board's flash holds before an update. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseCSV } from "../../tools/partitions/csv";
import { root } from "../virtual/bundle";
import { Noise } from "../virtual/noise";
import { slotsFlash } from "../virtual/slots-flash";
import { benchFirmware } from "./image";
import type { Row } from "./rows";
import type { Scenario } from "./simulation";

const SECTOR = 4096;
const OTA_0 = 0x10000;
const OTA_1 = 0x110000;
/** Of eboot's staging area, right below the filesystem. The second slot ends where that does. */
const STAGING = 0x104000;
const END = 0x200000;

type Update = Pick<Scenario, "before" | "firmware" | "sent" | "place" | "slots">;

/** Of the rows of one matrix, whose images are made once. */
export class Updates {
	readonly #length: number | undefined;
	readonly #made = new Map<string, Uint8Array>();

	/** `length`: bytes of a firmware; the bench's where not given. */
	constructor(length?: number) {
		this.#length = length;
	}

	of({ slots = false, gzip, staging = "used" }: Row): Update {
		const slot = slots ? OTA_0 : undefined;
		const old = this.#make(`1.0.0 ${slot}`, () => benchFirmware("1.0.0", this.#length, slot));
		const firmware = this.#make(`2.0.0 ${slot}`, () => benchFirmware("2.0.0", this.#length, slot));
		const sent = gzip ? this.#make(`gzip ${slot}`, () => gzipSync(firmware, { level: 9 })) : firmware;
		const runs = slots ? this.#make("flash", () => flashOfSlots(old)) : old;
		const from = slots ? OTA_1 : END - Math.ceil(sent.length / SECTOR) * SECTOR;
		const before: [number, Uint8Array][] = [[0, runs]];
		if (staging === "equal") before.push([from, sent]);
		// All of it: an update whose length is not known begins elsewhere.
		const area = slots ? OTA_1 : STAGING;
		if (staging === "used") before.push([area, new Noise(7).fill(new Uint8Array(END - area))]);
		return { before, firmware, sent, place: slots ? OTA_1 : 0, slots };
	}

	#make(name: string, make: () => Uint8Array): Uint8Array {
		const made = this.#made.get(name) ?? make();
		this.#made.set(name, made);
		return made;
	}
}

function flashOfSlots(firmware: Uint8Array): Uint8Array {
	const table = parseCSV(readFileSync(join(root, "partitions/two-slots-4m.csv"), "utf8"));
	return slotsFlash(table, firmware);
}
