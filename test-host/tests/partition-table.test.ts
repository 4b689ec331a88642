import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Partition } from "../../ota/slots/partition-table";
import { decodeTable, encodeTable } from "../../tools/partitions/binary";
import { csvOf, parseCSV } from "../../tools/partitions/csv";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const layout = (name: string) => readFileSync(join(import.meta.dirname, "../../partitions", name), "utf8");
const rows = (count: number) => Array.from({ length: count }, (_, i) => `p${i},data,nvs,,4K\n`).join("");

/** The table for two OTA slots on 2 MiB and more, as facts of the SDK tell it. */
const TWO_OTA = `
nvs, data, nvs, 0x9000, 0x4000
otadata, data, ota, 0xd000, 0x2000
phy_init, data, phy, 0xf000, 0x1000
ota_0, app, ota_0, 0x10000, 0xF0000
ota_1, app, ota_1, 0x110000, 0xF0000
`;

/** Each way to write something that there is. */
const TRICKY = `# comment, with, commas
nvs ,  data, nvs, 36K, 16384
  # an indented one
otadata,DATA,OTA,,0x2000,

phy_init,1,1,,0b1000000000000,
app0,app,OTA_0,,0x70000,encrypted
small,data,0x99,,100
next,data,6,,0o400,
app1,0,0x11,,-1M,
abcdefghijklmnop,0x40,254,1m,64k,
`;

describe("a table has the bytes that Espressif's generator makes of the same CSV", () => {
	test.each([
		[
			"for 1 MiB",
			layout("two-slots-1m.csv"),
			true,
			"88e3ea69ce89ff7f1422f94cb428f7e20d66399e9995f63c4f0ac54426c067d3",
		],
		[
			"for 2 MiB",
			layout("two-slots-2m.csv"),
			true,
			"5568c077a24a7ac9f6b0f08899e602321e9f5f5301a523374d7bfe67c2377d95",
		],
		[
			"for 4 MiB",
			layout("two-slots-4m.csv"),
			true,
			"8bcce2ccaaa543b06b65163ee59ebfa17c2d75de2231c50cccc28bf363b8f1b3",
		],
		["of two OTA slots", TWO_OTA, true, "a2404103090a0f6866b9d95bb043437b1976cd77ccc10046f91fb654e65d0983"],
		["without an MD5", TWO_OTA, false, "4c4b6f3cdfda06295d87bece1e6fed11da95761ecd846a0ab31ddc1ef73f91b1"],
		[
			"written in every way",
			TRICKY,
			true,
			"87ecd237e42cbd8b51195589b43fa38f88382747ff8b2d928c54dfccc66487ec",
		],
		["that is full", rows(94), true, "d477e30be0613d1c6b88115913fb0439b584270580ab0f1cc1419ed391ec9f96"],
		[
			"that is full, without an MD5",
			rows(95),
			false,
			"4674eb7e863d234db8ed8ec2b6ef015f86cbb81cbab3140fabdaec1cdefa1014",
		],
	])("%s", (_what, csv, md5, digest) => {
		expect(sha256(encodeTable(parseCSV(csv), { md5 }))).toBe(digest);
	});

	test("and one partition more is refused", () => {
		expect(() => encodeTable(parseCSV(rows(95)))).toThrow("95 partitions, more than 94");
		expect(() => encodeTable(parseCSV(rows(96)), { md5: false })).toThrow("96 partitions, more than 95");
	});
});

test("a CSV is written as the generator writes it", () => {
	expect(csvOf(parseCSV(TRICKY))).toBe(`# Name, Type, SubType, Offset, Size, Flags
nvs,data,nvs,0x9000,16K,
otadata,data,ota,0xd000,8K,
phy_init,data,phy,0xf000,4K,
app0,app,ota_0,0x10000,448K,encrypted
small,data,153,0x80000,0x64,
next,data,6,0x80064,0x100,
app1,app,ota_1,0x81000,508K,
abcdefghijklmnop,64,254,0x100000,64K,
`);
});

test("variables stand for what they are set to", () => {
	const [partition] = parseCSV(`$NAME, app, $\{SUBTYPE}, $AT, 1M`, {
		NAME: "lamp",
		SUBTYPE: "ota_1",
		AT: "64K",
	});
	expect(partition).toMatchObject({ label: "lamp", subtype: 0x11, offset: 0x10000, size: 0x100000, line: 1 });
});

describe("a CSV is refused with the line", () => {
	test.each([
		["no type", "a", "line 1: the type is missing"],
		["no size", "a, app, ota_0, 0x10000", "line 1: the size is missing"],
		["no name", ", app, ota_0,, 1M", "line 1: the name is missing"],
		[
			"a name of 17",
			"abcdefghijklmnopq, data, nvs,, 4K",
			"line 1: the name abcdefghijklmnopq has 17 bytes, more than 16",
		],
		["a name of 15 and an é", "abcdefghijklmnoé, data, nvs,, 4K", "has 17 bytes"],
		[
			"an unknown type",
			"# a\n\na, ap, ota_0,, 1M",
			"line 3: the type ap is none of app, data, or a number from 0 to 255",
		],
		["a type above a byte", "a, 256, 0,, 1M", "line 1: the type 256 is none of"],
		[
			"an unknown subtype",
			"a, app, ota_16,, 1M",
			"line 1: the subtype ota_16 is none of factory, test, ota_0",
		],
		[
			"a subtype of another type",
			"a, data, ota_0,, 1M",
			"line 1: the subtype ota_0 is none of ota, phy, nvs",
		],
		[
			"a keyword for an own type",
			"a, 0x40, nvs,, 1M",
			"line 1: the subtype nvs is none of a number from 0 to 255",
		],
		[
			"an offset that is none",
			"a, app, ota_0, 64KB, 1M",
			"line 1: the offset 64KB is no number: 4096, 0x1000, 4K",
		],
		["an octal size that may be decimal", "a, data, nvs,, 0100", "line 1: the size 0100 is no number"],
		["an offset below 0", "a, data, nvs, -4K, 4K", "line 1: the offset -4K is below 0"],
		["an unknown flag", "a, app, ota_0,, 1M, crypt", "line 1: the flag crypt is unknown: encrypted is known"],
		["a seventh field", "a, app, ota_0,, 1M,, 5", "line 1: more than the 6 fields"],
		["a variable that is not set", "a, app, ota_0,, $NONE", "line 1: the variable NONE is not set"],
		[
			"the table's own place",
			"a, data, nvs, 0x8fff, 4K",
			"line 1: a at 0x8fff overlaps the table, which ends at 0x9000",
		],
		[
			"an overlap",
			"a,data,nvs,,8K\r\nb,data,nvs,0xa000,4K",
			"line 2: b at 0xa000 overlaps a, which ends at 0xb000",
		],
		["an end before it begins", "a, data, nvs, 1M, -512K", "line 1: a begins at 0x100000, behind its end"],
		["more than 32 bits", "a, data, nvs, 64K, 4096M", "line 1: a is larger than 32 bits can say"],
		["a long line of something else", `${"x".repeat(90)}, 1,,,1`, `the name ${"x".repeat(32)}… has 90 bytes`],
	])("that has %s", (_what, csv, message) => {
		expect(() => parseCSV(csv)).toThrow(message);
	});

	test("but not for spaces, a comment, a byte order mark, or any end of lines", () => {
		expect(parseCSV("\ufeff# x\r\n\ta\t,app , ota_0 ,, 4K \r# b\n")).toHaveLength(1);
		expect(parseCSV("")).toEqual([]);
	});

	test("for a name that no CSV can have", () => {
		const partition: Partition = {
			label: "a,b",
			type: 1,
			subtype: 2,
			offset: 0x9000,
			size: 0x1000,
			flags: 0,
		};
		for (const label of ["a,b", "#a", " a", "", "$a"]) {
			expect(() => csvOf([{ ...partition, label }])).toThrow("no CSV can have the name");
		}
	});
});

describe("the bytes of a table are refused", () => {
	const table = encodeTable(parseCSV(TWO_OTA));
	const changed = (offset: number, value: number) => {
		const bytes = table.slice();
		bytes[offset] = value;
		return bytes;
	};

	test.each([
		["with another magic", changed(0x20, 0xab), "entry 2 has the magic 0x50ab, not 0x50aa"],
		["with a byte changed", changed(0x24, 1), "MD5 expected: 0a6bfa01f808320d539d67ae2a3c1a9c, calculated: "],
		["with another MD5", changed(0xbf, 0), "MD5 expected: 0a6bfa01f808320d539d67ae2a3c1a00"],
		["with something behind the MD5", changed(0xc0, 0xaa), "no end behind the MD5, but 0xffaa at 0xc0"],
		["with an end that is not all FF", changed(0xdf, 0), "no end behind the MD5"],
		["cut before its end", table.subarray(0, 0xc0), "no end"],
		["cut within its end", table.subarray(0, 0xdf), "no end"],
		["of zeros", new Uint8Array(64), "entry 1 has the magic 0x0"],
	])("%s", (_what, bytes, message) => {
		expect(() => decodeTable(bytes)).toThrow(message);
	});

	test("with a name that is no text, where no MD5 tells", () => {
		const bytes = encodeTable(parseCSV(TWO_OTA), { md5: false });
		// The first half of a letter, and what a terminal takes for a command.
		for (const byte of [0xc3, 0x1b, 0x7f]) {
			bytes[12] = byte;
			expect(() => decodeTable(bytes)).toThrow("the name at 0xc is no text");
		}
	});

	test("but nothing of it is looked at behind its end", () => {
		expect(decodeTable(changed(0xe0, 0)).partitions).toHaveLength(5);
		expect(decodeTable(table.subarray(0, 0xe0))).toMatchObject({ md5: true });
	});
});

describe("properties", () => {
	const sectors = fc.integer({ min: 1, max: 200 }).map((count) => count * 0x1000);
	const label = fc.stringMatching(/^[a-z][a-z0-9_]{0,15}$/);
	/** Partitions one behind the other, with gaps; apps are aligned, as all of them are. */
	const tables = fc
		.array(
			fc.record({
				label,
				type: fc.constantFrom(0, 1, 0x40, 0xfe),
				subtype: fc.nat(255),
				gap: fc.nat(3).map((count) => count * 0x1000),
				size: sectors,
				flags: fc.nat(1),
			}),
			{ minLength: 1, maxLength: 20 },
		)
		.map((all) => {
			let end = 0x9000;
			return all.map(({ gap, ...partition }): Partition => {
				const offset = end + gap;
				end = offset + partition.size;
				return { ...partition, offset };
			});
		});

	test("what was built is read back, as bytes and as a CSV", () => {
		fc.assert(
			fc.property(tables, fc.boolean(), (partitions, md5) => {
				expect(decodeTable(encodeTable(partitions, { md5 }))).toEqual({ partitions, md5 });
				const parsed = parseCSV(csvOf(partitions));
				expect(parsed.map(({ line, ...partition }) => partition)).toEqual(partitions);
			}),
		);
	});

	test("the bytes are those of a table written by hand", () => {
		const hand = (partitions: readonly Partition[]) => {
			let hex = "";
			const number = (value: number, bytes: number) => {
				for (let i = 0; i < bytes; i++)
					hex += (Math.floor(value / 256 ** i) % 256).toString(16).padStart(2, "0");
			};
			for (const { label, type, subtype, offset, size, flags } of partitions) {
				hex += "aa50";
				number(type, 1);
				number(subtype, 1);
				number(offset, 4);
				number(size, 4);
				hex += Buffer.from(label, "latin1").toString("hex").padEnd(32, "0");
				number(flags, 4);
			}
			const digest = createHash("md5").update(Buffer.from(hex, "hex")).digest("hex");
			return (hex + "eb".repeat(2) + "ff".repeat(14) + digest).padEnd(0xc00 * 2, "f");
		};
		fc.assert(
			fc.property(tables, (partitions) => {
				expect(Buffer.from(encodeTable(partitions)).toString("hex")).toBe(hand(partitions));
			}),
		);
	});

	test("a number is read whichever way it is written", () => {
		const ways: readonly ((value: number) => string)[] = [
			(value) => String(value),
			(value) => `0x${value.toString(16)}`,
			(value) => `0X${value.toString(16).toUpperCase()}`,
			(value) => `0o${value.toString(8)}`,
			(value) => `0b${value.toString(2)}`,
			(value) => `${value / 0x400}K`,
			(value) => `+0x${(value / 0x400).toString(16)}k`,
			(value) => (value % 0x100000 === 0 ? `${value / 0x100000}M` : `${value}`),
		];
		fc.assert(
			fc.property(fc.nat(0x3fff), fc.constantFrom(...ways), fc.constantFrom(...ways), (count, one, other) => {
				const offset = 0x9000 + count * 0x400;
				const [partition] = parseCSV(`a, 0x40, 0, ${one(offset)}, ${other(count * 0x400)}`);
				expect(partition).toMatchObject({ offset, size: count * 0x400 });
			}),
		);
	});

	test("an empty offset is the first one behind the partition before that is aligned", () => {
		fc.assert(
			fc.property(fc.nat(0x20000), fc.constantFrom("app", "data", "0x40"), (size, type) => {
				const [first, second] = parseCSV(`a, data, nvs, 0x9000, ${size}\nb, ${type}, 0,, 4K`);
				const alignment = type === "app" ? 0x1000 : 4;
				// Slow and sure.
				let wanted = 0x9000 + (first?.size ?? 0);
				while (wanted % alignment !== 0) wanted += 1;
				expect(second?.offset).toBe(wanted);
			}),
		);
	});

	test("no bit of a table flips unseen where it has an MD5", () => {
		const bytes = encodeTable(parseCSV(TWO_OTA));
		for (let bit = 0; bit < 7 * 32 * 8; bit++) {
			const flipped = bytes.slice();
			flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
			// Between magic and digest of the MD5's entry nobody looks.
			const isPadding = bit >= (5 * 32 + 2) * 8 && bit < (5 * 32 + 16) * 8;
			if (isPadding) expect(decodeTable(flipped).partitions).toHaveLength(5);
			else expect(() => decodeTable(flipped), `bit ${bit}`).toThrow();
		}
	});

	test("no text and no bytes make anything else of them than a table or an error", () => {
		fc.assert(
			fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array({ maxLength: 200 }), (text, bytes) => {
				for (const read of [() => parseCSV(text), () => decodeTable(bytes)]) {
					try {
						read();
					} catch (error) {
						expect(error).toHaveProperty("name", "Error");
						expect(error?.constructor.name).toBe("TableError");
					}
				}
			}),
		);
	});
});
