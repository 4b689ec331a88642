/**
 * The boot loader of Espressif's ESP8266_RTOS_SDK: reads the partition table, chooses a slot by the otadata, verifies
 * what lies there, tries the others where that fails, maps it and jumps. It writes nothing. With `trials` it does what
 * ESP-IDF's does in the same place: it marks the first boot of a new image, and gives it up at the second.
 */
import { MAP_LENGTH, MAP_START } from "../../ota/image";
import {
	decodeRecord,
	encodeRecord,
	isBootable,
	OtaState,
	RECORD_LENGTH,
} from "../../ota/slots/otadata-record";
import {
	AppSubtype,
	DataSubtype,
	decodeEntry,
	END_MAGIC,
	ENTRY_LENGTH,
	ENTRY_MAGIC,
	MD5_MAGIC,
	OTADATA_LENGTH,
	type Partition,
	PartitionType,
	slotNumber,
	TABLE_LENGTH,
	TABLE_OFFSET,
} from "../../ota/slots/partition-table";
import { Memory } from "./memory";
import type { NorFlash } from "./nor";
import { SECTOR_SIZE } from "./nor";
import type { Outcome } from "./outcome";
import { type ImageLog, readRtosImage } from "./rtos-image";
import { hex32, type Print, printf } from "./uart";

/** The text at the entry of our stand-in for its image. */
export const RTOS_BOOT_MARKER = "ota8266 virtual boot loader, like the RTOS SDK's";
const FACTORY = -1;
const INVALID = -99;
/** What a line takes at 74,880 baud, about, for the log's clock. */
const LINE_TIME = 8;

export interface RtosBootOptions {
	flash: NorFlash;
	print: Print;
	/** Whether it knows trials, as ESP-IDF's does. */
	trials: boolean;
}

/**
 * Whether what was loaded is this boot loader: our stand-in, or machine code where the flash has a partition table. An
 * application in a slot, which comes behind it, is mapped, not loaded.
 */
export function isRtosBoot(flash: NorFlash, outcome: Outcome): boolean {
	if (outcome.kind !== "jump" || outcome.imageAddress !== undefined) return false;
	const text = new TextDecoder("latin1").decode(outcome.memory.read(outcome.entry, RTOS_BOOT_MARKER.length));
	if (text.startsWith("ota8266")) return text === RTOS_BOOT_MARKER;
	const first = new Uint8Array(ENTRY_LENGTH);
	flash.read(TABLE_OFFSET, first);
	return new DataView(first.buffer).getUint16(0, true) === ENTRY_MAGIC;
}

/** Runs the boot loader up to its end. Throws PowerCut where the flash loses its power. */
export function runRtosBoot(options: RtosBootOptions): Outcome {
	const { flash, trials } = options;
	const log = logger(options.print);
	log.boot.info("ESP-IDF v3.4 2nd stage bootloader");
	const table = readTable(flash, log);
	if (!table) {
		log.boot.error("load partition table error!");
		return { kind: "hang", reason: "no partition table" };
	}
	const index = select(flash, table, trials, log.boot);
	if (index === INVALID) return { kind: "hang", reason: "no otadata" };
	return load(flash, table, index, log) ?? { kind: "hang", reason: "no slot has a bootable image" };
}

interface Log {
	boot: ImageLog;
	image: ImageLog;
	parts: ImageLog;
}

function logger(print: Print): Log {
	let time = 40;
	const of = (tag: string): ImageLog => {
		const line = (level: string, text: string) => {
			time += LINE_TIME;
			printf(print, `${level} (${time}) ${tag}: ${text}\n`);
		};
		return { info: (text) => line("I", text), error: (text) => line("E", text) };
	};
	return { boot: of("boot"), image: of("esp_image"), parts: of("flash_parts") };
}

interface Table {
	slots: (Partition | undefined)[];
	/** How many entries are slots. */
	count: number;
	factory: Partition | undefined;
	test: Partition | undefined;
	otadata: Partition | undefined;
}

/** It looks at the magics, and at the chip's size; not at the MD5. */
function readTable(flash: NorFlash, log: Log): Table | undefined {
	const bytes = new Uint8Array(TABLE_LENGTH);
	flash.read(TABLE_OFFSET, bytes);
	const view = new DataView(bytes.buffer);
	const entries: Partition[] = [];
	for (let at = 0; ; at += ENTRY_LENGTH) {
		const magic = at < TABLE_LENGTH ? view.getUint16(at, true) : undefined;
		if (magic === END_MAGIC) break;
		const isEntry = magic === ENTRY_MAGIC;
		if (magic === undefined || (!isEntry && magic !== MD5_MAGIC)) {
			const index = at / ENTRY_LENGTH;
			log.parts.error(
				magic === undefined
					? "partition table has no terminating entry, not valid"
					: `partition ${index} invalid magic number 0x${magic.toString(16)}`,
			);
			log.boot.error("Failed to verify partition table");
			return undefined;
		}
		if (!isEntry) continue;
		const entry = decodeEntry(view, at);
		if (entry.offset + entry.size > flash.size) {
			const where = `offset 0x${entry.offset.toString(16)} size 0x${entry.size.toString(16)}`;
			const chip = `flash chip size 0x${flash.size.toString(16)}`;
			log.parts.error(`partition ${entries.length} invalid - ${where} exceeds ${chip}`);
			log.boot.error("Failed to verify partition table");
			return undefined;
		}
		entries.push(entry);
	}
	log.boot.info("Partition Table:");
	log.boot.info("## Label            Usage          Type ST Offset   Length");
	entries.forEach((entry, i) => {
		const type = `${hex2(entry.type)} ${hex2(entry.subtype)} ${hex32(entry.offset)} ${hex32(entry.size)}`;
		log.boot.info(`${String(i).padStart(2)} ${entry.label.padEnd(16)} ${usageOf(entry).padEnd(16)} ${type}`);
	});
	log.boot.info("End of partition table");
	const find = (type: number, subtype: number) =>
		entries.find((entry) => entry.type === type && entry.subtype === subtype);
	const slots: (Partition | undefined)[] = [];
	for (const entry of entries) if (slotNumber(entry) >= 0) slots[slotNumber(entry)] = entry;
	return {
		slots,
		count: entries.filter((entry) => slotNumber(entry) >= 0).length,
		factory: find(PartitionType.APP, AppSubtype.FACTORY),
		test: find(PartitionType.APP, AppSubtype.TEST),
		otadata: find(PartitionType.DATA, DataSubtype.OTA),
	};
}

function usageOf(partition: Partition): string {
	const { type, subtype } = partition;
	if (type === PartitionType.APP) {
		if (subtype === AppSubtype.FACTORY) return "factory app";
		if (subtype === AppSubtype.TEST) return "test app";
		return slotNumber(partition) >= 0 ? "OTA app" : "Unknown app";
	}
	if (type !== PartitionType.DATA) return "unknown";
	if (subtype === DataSubtype.OTA) return "OTA data";
	if (subtype === DataSubtype.PHY) return "RF data";
	return subtype === DataSubtype.NVS ? "WiFi data" : "Unknown data";
}

/** The slot to boot, FACTORY, or INVALID. */
function select(flash: NorFlash, table: Table, trials: boolean, log: ImageLog): number {
	const { otadata, count, factory } = table;
	if (!otadata) return FACTORY;
	if (otadata.size < OTADATA_LENGTH) {
		log.error(`ota_info partition size ${otadata.size} is too small (minimum ${RECORD_LENGTH} bytes)`);
		return INVALID;
	}
	const bytes = [0, 1].map((sector) => {
		const record = new Uint8Array(RECORD_LENGTH);
		flash.read(otadata.offset + sector * SECTOR_SIZE, record);
		return new DataView(record.buffer);
	});
	const records = bytes.map(decodeRecord);
	const restate = (sector: number, state: number) => {
		const record = records[sector];
		const view = bytes[sector];
		if (!record || !view) return;
		record.state = state;
		encodeRecord(view, record);
		const address = otadata.offset + sector * SECTOR_SIZE;
		flash.eraseSector(address);
		flash.program(address, new Uint8Array(view.buffer));
	};
	for (const [i, record] of records.entries()) {
		if (trials && record?.state === OtaState.PENDING) restate(i, OtaState.ABORTED);
	}
	const isEmpty = bytes.every((view) => view.getUint32(0, true) === 0xffffffff);
	const usable = records.map((record) => (trials ? isBootable(record) : record !== undefined));
	if (isEmpty || (trials && !usable[0] && !usable[1] && records.some((record) => record))) {
		log.info(factory ? "Defaulting to factory image" : "No factory image, trying OTA 0");
		return factory ? FACTORY : 0;
	}
	const [first, second] = records;
	const newest =
		usable[0] && usable[1] ? Number((second?.sequence ?? 0) > (first?.sequence ?? 0)) : Number(!usable[0]);
	const active = usable[newest] ? records[newest] : undefined;
	if (!active) {
		const then = factory ? "falling back to factory" : "and no factory, will try all partitions";
		log.error(`ota data partition invalid${factory ? "," : ""} ${then}`);
		return FACTORY;
	}
	if (trials && active.state === OtaState.NEW) restate(newest, OtaState.PENDING);
	return ((active.sequence - 1) | 0) % count;
}

/** The chosen slot, those below it down to the factory's app, those above it, the test app: the first that is whole. */
function load(flash: NorFlash, table: Table, index: number, log: Log): Outcome | undefined {
	const { slots, count, factory, test } = table;
	const start = (partition: Partition): Outcome | undefined => {
		const image = readRtosImage(flash, partition, log.image);
		if (!image) return undefined;
		const { offset } = partition;
		log.boot.info(`Loaded app from partition at offset 0x${offset.toString(16)}`);
		// The flash cache shows the MiB that the image lies in, wherever it was linked for.
		const mapped = new Uint8Array(Math.min(image.length, MAP_LENGTH - (offset % MAP_LENGTH)));
		flash.read(offset, mapped);
		const memory = new Memory();
		memory.store(MAP_START + (offset % MAP_LENGTH), mapped);
		return { kind: "jump", entry: image.entry, memory, imageAddress: offset };
	};
	const order: number[] = [];
	for (let i = index; i >= FACTORY; i--) order.push(i);
	for (let i = index + 1; i < count; i++) order.push(i);
	for (const number of order) {
		const partition = number === FACTORY ? factory : slots[number];
		if (!partition) continue;
		const outcome = start(partition);
		if (outcome) return outcome;
		const what = number === FACTORY ? "Factory app partition" : `OTA app partition slot ${number}`;
		log.boot.error(`${what} is not bootable`);
	}
	const outcome = test && start(test);
	if (!outcome) log.boot.error("No bootable app partitions in the partition table");
	return outcome;
}

function hex2(value: number): string {
	return value.toString(16).padStart(2, "0");
}
