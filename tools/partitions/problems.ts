/** What is wrong with a partition table whose bytes are in order. */
import { MAP_LENGTH } from "../../ota/image";
import {
	DataSubtype,
	FLAG_ENCRYPTED,
	OTADATA_LENGTH,
	PARTITION_ALIGNMENT,
	type Partition,
	PartitionType,
	slotNumber,
} from "../../ota/slots/partition-table";
import { partitionsMax } from "./binary";
import { keywordOf, subtypeKeywords, typeKeywords } from "./keywords";
import { FIRST_OFFSET, MAPPED_MAX, offsetAlignment } from "./limits";
import { hex } from "./numbers";

/**
 * `error`: the generator makes no such table. `unfit`: it does, but a board or its boot loader can't use it.
 * `note`: it may be meant so.
 */
export type Severity = "error" | "unfit" | "note";

export interface Problem {
	severity: Severity;
	/** Of the CSV that the partition comes from. */
	line?: number | undefined;
	text: string;
}

type Entry = Partition & { line?: number };

export interface Surroundings {
	/** Bytes of the flash, where that is known. */
	flashSize?: number | undefined;
	/** Whether the table has its MD5. */
	md5?: boolean | undefined;
}

/** Everything that is wrong with a table, as the lines of its CSV go. */
export function problemsOf(table: readonly Entry[], { flashSize, md5 = true }: Surroundings = {}): Problem[] {
	const found = [...table.flatMap((entry) => placeProblems(entry, flashSize)), ...between(table)];
	const most = partitionsMax(md5);
	if (table.length > most)
		found.push({ severity: "error", text: `${table.length} partitions, more than ${most}` });
	const lineOf = ({ line = Number.MAX_SAFE_INTEGER }: Problem) => line;
	return [...found, ...table.flatMap(meaning), ...updating(table)].sort((a, b) => lineOf(a) - lineOf(b));
}

/** A problem as a line of text, with the line of the CSV. */
export function problemText({ line, text }: Problem): string {
	return line === undefined ? text : `line ${line}: ${text}`;
}

function placeProblems({ label, type, offset, size, line }: Entry, flashSize: number | undefined): Problem[] {
	const found: Problem[] = [];
	const add = (severity: Severity, text: string) => found.push({ severity, line, text: `${label} ${text}` });
	const alignment = offsetAlignment(type);
	const end = offset + size;
	if (offset < FIRST_OFFSET)
		add("error", `at ${hex(offset)} lies below ${hex(FIRST_OFFSET)}, the table's end`);
	if (offset % alignment !== 0) add("error", `at ${hex(offset)} is not aligned to ${hex(alignment)}`);
	if (flashSize !== undefined && end > flashSize) {
		add("error", `ends at ${hex(end)}, behind the flash of ${hex(flashSize)} bytes`);
	}
	if (size === 0) add("unfit", "is empty");
	if (offset % PARTITION_ALIGNMENT !== 0 || size % PARTITION_ALIGNMENT !== 0) {
		add("unfit", `is not on sectors: who erases ${hex(offset)} to ${hex(end)} erases its neighbours too`);
	}
	if (type === PartitionType.APP && size > 0) {
		const crosses = Math.floor(offset / MAP_LENGTH) !== Math.floor((end - 1) / MAP_LENGTH);
		if (crosses) add("unfit", "crosses a MiB of the flash: the chip maps one at a time for code");
		if (end > MAPPED_MAX) add("unfit", `ends behind ${hex(MAPPED_MAX)}, as far as the boot loader maps`);
	}
	return found;
}

/** Overlaps, as the offsets go, and names that are there twice. */
function between(table: readonly Entry[]): Problem[] {
	const found: Problem[] = [];
	const names = new Set<string>();
	for (const { label, line } of table) {
		if (names.has(label)) found.push({ severity: "error", line, text: `there is another ${label}` });
		names.add(label);
	}
	const sorted = [...table].sort((one, other) => one.offset - other.offset);
	let last: Entry | undefined;
	for (const entry of sorted) {
		if (last && entry.offset < last.offset + last.size) {
			const place = `${hex(last.offset)} to ${hex(last.offset + last.size)}`;
			const text = `${entry.label} at ${hex(entry.offset)} overlaps ${last.label}, ${place}`;
			found.push({ severity: "error", line: entry.line, text });
		}
		if (!last || entry.offset + entry.size > last.offset + last.size) last = entry;
	}
	return found;
}

/** Names and flags that may be mistakes. */
function meaning({ label, type, subtype, flags, line }: Entry): Problem[] {
	const found: Problem[] = [];
	const add = (text: string) => found.push({ severity: "note", line, text });
	const typeWords = typeKeywords.get(label);
	const isWord = [...typeKeywords.values()].some((each) => subtypeKeywords(each).has(label));
	if (typeWords !== undefined && typeWords !== type) {
		add(`${label} is of type ${keywordOf(type, typeKeywords)}`);
	} else if (isWord && subtypeKeywords(type).get(label) !== subtype) {
		const words = `${keywordOf(type, typeKeywords)}, ${keywordOf(subtype, subtypeKeywords(type))}`;
		add(`${label} is of type and subtype ${words}`);
	}
	if (!/^[\x20-\x7e]*$/.test(label)) add(`${label} is no plain ASCII: boards see what comes before it`);
	if ((flags & ~FLAG_ENCRYPTED) !== 0) add(`${label} has unknown flags ${hex(flags >>> 0)}`);
	if ((flags & FLAG_ENCRYPTED) !== 0) add(`${label} is marked encrypted: the ESP8266 can't encrypt`);
	return found;
}

/** Whether the table boots something, and an update has a place. */
function updating(table: readonly Entry[]): Problem[] {
	const found: Problem[] = [];
	const add = (severity: Severity, text: string, line?: number) => found.push({ severity, line, text });
	const apps = table.filter(({ type }) => type === PartitionType.APP);
	if (apps.length === 0) add("unfit", "no app: the boot loader finds nothing to start");
	const slots = apps.filter((entry) => slotNumber(entry) >= 0).sort((a, b) => slotNumber(a) - slotNumber(b));
	slots.forEach((slot, i) => {
		if (slotNumber(slot) === i) return;
		add("unfit", `${slot.label} is ota_${slotNumber(slot)}, where ota_${i} is wanted`, slot.line);
	});
	const otadata = table.find(
		({ type, subtype }) => type === PartitionType.DATA && subtype === DataSubtype.OTA,
	);
	if (slots.length > 0 && !otadata)
		add("unfit", "OTA slots, but no partition data, ota that says which to boot");
	if (otadata && otadata.size < OTADATA_LENGTH) {
		add("unfit", `${otadata.label} has ${hex(otadata.size)} bytes, two sectors are wanted`, otadata.line);
	}
	const [first, ...others] = slots;
	if (first && others.length === 0) add("note", "one OTA slot only: an update has no place beside what runs");
	for (const slot of others) {
		if (first && (slot.offset - first.offset) % MAP_LENGTH !== 0) {
			add("note", `${slot.label} and ${first.label} want an image each, linked for its place`, slot.line);
		}
	}
	return found;
}
