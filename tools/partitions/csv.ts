/**
 * The CSV of a partition table: `name, type, subtype, offset, size, flags`, a line each; empty lines, and lines that
 * begin with #, are comments. What is read and written is what the ESP8266_RTOS_SDK's gen_esp32part.py reads and writes.
 */
import { FLAG_ENCRYPTED, LABEL_LENGTH, type Partition } from "../../ota/slots/partition-table";
import { type Keywords, keywordOf, subtypeKeywords, typeKeywords } from "./keywords";
import { hex, parseNumber, sizeNumber } from "./numbers";
import { place, type Row } from "./place";
import { TableError } from "./table-error";

const FIELDS = 6;
/** Flags by name, joined by colons. */
const flags: Keywords = new Map([["encrypted", FLAG_ENCRYPTED]]);
const BYTE_MAX = 0xff;
/** Characters of what is told in an error. */
const QUOTED_MAX = 32;

/** A partition of a CSV. */
export interface CSVPartition extends Partition {
	/** From 1. */
	line: number;
}

/**
 * The partitions of a CSV in its order, each at its place. `variables` are what `$NAME` and `${NAME}` stand for.
 * Throws TableError with the line for what is malformed, overlaps what comes before it, or ends before it begins.
 */
export function parseCSV(
	text: string,
	variables: Readonly<Record<string, string | undefined>> = {},
): CSVPartition[] {
	const rows: Row[] = [];
	text
		.replace(/^\ufeff/, "")
		.split(/\r\n|\n|\r/)
		.forEach((source, i) => {
			const line = i + 1;
			if (/^\s*(#|$)/.test(source)) return;
			rows.push(parseRow(expand(source, line, variables), line));
		});
	return place(rows);
}

function expand(
	source: string,
	line: number,
	variables: Readonly<Record<string, string | undefined>>,
): string {
	return source.replace(/\$(\w+|\{[^}]*\})/g, (_, name: string) => {
		const variable = name.replace(/^\{|\}$/g, "");
		const value = variables[variable];
		if (value === undefined) throw new TableError(`the variable ${quoted(variable)} is not set`, line);
		return value;
	});
}

function parseRow(source: string, line: number): Row {
	const fields = source.split(",").map((field) => field.trim());
	const [label = "", type = "", subtype = "", offset = "", size = "", flagNames = ""] = fields;
	if (fields.slice(FIELDS).some((field) => field !== "")) {
		throw new TableError(`more than the ${FIELDS} fields name, type, subtype, offset, size, flags`, line);
	}
	const typeNumber = word(type, typeKeywords, "type", line);
	return {
		line,
		label: checkedLabel(label, line),
		type: typeNumber,
		// Left empty it is 0: factory, or ota.
		subtype: subtype === "" ? 0 : word(subtype, subtypeKeywords(typeNumber), "subtype", line),
		offset: offset === "" ? undefined : number(offset, "offset", line),
		size: number(size, "size", line),
		flags: parseFlags(flagNames, line),
	};
}

function checkedLabel(label: string, line: number): string {
	if (label === "") throw new TableError("the name is missing", line);
	const length = new TextEncoder().encode(label).length;
	if (length > LABEL_LENGTH) {
		throw new TableError(`the name ${quoted(label)} has ${length} bytes, more than ${LABEL_LENGTH}`, line);
	}
	if (/\p{Cc}/u.test(label)) throw new TableError("the name has a control character", line);
	return label;
}

/** A byte, by its number or its keyword. */
function word(text: string, words: Keywords, field: string, line: number): number {
	if (text === "") throw new TableError(`the ${field} is missing`, line);
	const value = words.get(text.toLowerCase()) ?? parseNumber(text);
	if (value === undefined || value < 0 || value > BYTE_MAX) {
		const known = words.size > 0 ? `${[...words.keys()].join(", ")}, or ` : "";
		throw new TableError(
			`the ${field} ${quoted(text)} is none of ${known}a number from 0 to ${BYTE_MAX}`,
			line,
		);
	}
	return value;
}

function number(text: string, field: string, line: number): number {
	if (text === "") throw new TableError(`the ${field} is missing`, line);
	const value = parseNumber(text);
	if (value === undefined) {
		throw new TableError(`the ${field} ${quoted(text)} is no number: 4096, 0x1000, 4K and 1M are`, line);
	}
	if (value < 0 && field === "offset") throw new TableError(`the offset ${quoted(text)} is below 0`, line);
	return value;
}

function parseFlags(names: string, line: number): number {
	let bits = 0;
	for (const name of names.split(":").filter((each) => each !== "")) {
		const bit = flags.get(name);
		if (bit === undefined) {
			throw new TableError(
				`the flag ${quoted(name)} is unknown: ${[...flags.keys()].join(", ")} is known`,
				line,
			);
		}
		bits |= bit;
	}
	return bits;
}

/** Words of a file that may be none, for one line of text. */
function quoted(text: string): string {
	const line = text.replace(/\p{Cc}/gu, "?");
	return line.length > QUOTED_MAX ? `${line.slice(0, QUOTED_MAX)}…` : line;
}

/** The CSV of a table, its lines as the generator writes them. Throws TableError where a name is none that a CSV can have. */
export function csvOf(partitions: readonly Partition[]): string {
	const rows = partitions.map((partition) => {
		const { label, type, subtype, offset, size } = partition;
		if (label.trim() !== label || label === "" || /^#|[,$]/.test(label)) {
			throw new TableError(`no CSV can have the name ${JSON.stringify(label)}`);
		}
		const names = [...flags].filter(([, bit]) => (partition.flags & bit) !== 0).map(([name]) => name);
		const words = [keywordOf(type, typeKeywords), keywordOf(subtype, subtypeKeywords(type))];
		return [label, ...words, hex(offset), sizeNumber(size), names.join(":")].join(",");
	});
	return ["# Name, Type, SubType, Offset, Size, Flags", ...rows, ""].join("\n");
}
