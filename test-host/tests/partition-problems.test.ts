import { describe, expect, test } from "vitest";
import { parseCSV } from "../../tools/partitions/csv";
import { problemsOf, problemText } from "../../tools/partitions/problems";

const BASE = "nvs,data,nvs,0x9000,16K\notadata,data,ota,0xd000,8K\nphy_init,data,phy,0xf000,4K\n";
const SLOTS = "ota_0,app,ota_0,64K,960K\nota_1,app,ota_1,0x110000,960K\n";

/** What is wrong, a line each: severity and text. */
function problems(csv: string, flashSize?: number): string[] {
	return problemsOf(parseCSV(csv), { flashSize }).map((each) => `${each.severity}: ${problemText(each)}`);
}

test("nothing is wrong with two slots at the same place within two MiB", () => {
	expect(problems(BASE + SLOTS, 0x200000)).toEqual([]);
});

test.each([
	[
		"one byte of flash too few",
		`${BASE}${SLOTS}`,
		0x1fffff,
		"error: line 5: ota_1 ends at 0x200000, behind the flash",
	],
	["half the flash", `${BASE}${SLOTS}`, 0x100000, "error: line 5: ota_1 ends at 0x200000"],
	[
		"an app off its sector",
		`${BASE}ota_0,app,ota_0,0x10004,960K`,
		undefined,
		"error: line 4: ota_0 at 0x10004 is not aligned to 0x1000",
	],
	[
		"data off its word",
		`a,data,nvs,0x9002,4K\n`,
		undefined,
		"error: line 1: a at 0x9002 is not aligned to 0x4",
	],
	["a name twice", `nvs,data,nvs,,4K\nnvs,data,fat,,4K`, undefined, "error: line 2: there is another nvs"],
	["nothing in a partition", `${BASE}${SLOTS}a,data,fat,,0`, undefined, "unfit: line 6: a is empty"],
	[
		"data that ends within a sector",
		`${BASE}${SLOTS}a,data,fat,,100`,
		undefined,
		"unfit: line 6: a is not on sectors: who erases 0x200000 to 0x200064",
	],
	[
		"data that begins within a sector",
		`${BASE}${SLOTS}a,data,fat,0x200004,0xffc`,
		undefined,
		"unfit: line 6: a is not on sectors",
	],
	["no app", BASE, undefined, "unfit: no app"],
	[
		"an app over the border of a MiB",
		`${BASE}a,app,factory,64K,964K`,
		undefined,
		"unfit: line 4: a crosses a MiB of the flash",
	],
	["an app behind 8 MiB", `${BASE}a,app,factory,8M,64K`, undefined, "unfit: line 4: a ends behind 0x800000"],
	[
		"slots without a first",
		`${BASE}a,app,ota_1,64K,64K`,
		undefined,
		"unfit: line 4: a is ota_1, where ota_0 is wanted",
	],
	[
		"slots with a gap",
		`${BASE}${SLOTS}a,app,ota_3,,64K`,
		undefined,
		"unfit: line 6: a is ota_3, where ota_2 is wanted",
	],
	[
		"a slot twice",
		`${BASE}${SLOTS}a,app,ota_1,,64K`,
		undefined,
		"unfit: line 6: a is ota_1, where ota_2 is wanted",
	],
	["slots without otadata", SLOTS, undefined, "unfit: OTA slots, but no partition data, ota"],
	[
		"otadata of one sector",
		`otadata,data,ota,,4K\n${SLOTS}`,
		undefined,
		"unfit: line 1: otadata has 0x1000 bytes, two sectors",
	],
	["one slot", `${BASE}ota_0,app,ota_0,64K,64K`, undefined, "note: one OTA slot only"],
	[
		"slots for two images",
		`${BASE}ota_0,app,ota_0,64K,64K\nota_1,app,ota_1,,64K`,
		undefined,
		"note: line 5: ota_1 and ota_0 want an image each",
	],
	[
		"a type's name for another type",
		`${BASE}${SLOTS}app,data,fat,,4K`,
		undefined,
		"note: line 6: app is of type data",
	],
	[
		"a subtype's name for another",
		`${BASE}${SLOTS}fat,data,spiffs,,4K`,
		undefined,
		"note: line 6: fat is of type and subtype data, spiffs",
	],
	[
		"a name that boards cut",
		`${BASE}${SLOTS}é,data,spiffs,,4K`,
		undefined,
		"note: line 6: é is no plain ASCII",
	],
	[
		"encryption",
		`${BASE}${SLOTS}a,data,spiffs,,4K,encrypted`,
		undefined,
		"note: line 6: a is marked encrypted",
	],
])("a table with %s is told of", (_what, csv, flashSize, problem) => {
	expect(problems(csv, flashSize).filter((text) => text.startsWith(problem))).toHaveLength(1);
});

test.each([
	["an app up to the border of a MiB", `${BASE}a,app,factory,64K,960K`],
	["an app up to 8 MiB", `${BASE}a,app,factory,0x700000,1M`],
	["a factory app without otadata", "a,app,factory,64K,64K"],
	["a name that is what it is", `${BASE}factory,app,factory,64K,64K\ntest,app,test,,4K`],
])("nothing is wrong with %s", (_what, csv) => {
	expect(problems(csv)).toEqual([]);
});

describe("of bytes, where nothing was placed", () => {
	const at = (label: string, offset: number, size: number) => ({
		label,
		type: 1,
		subtype: 2,
		offset,
		size,
		flags: 0,
	});
	const errors = (...all: ReturnType<typeof at>[]) =>
		problemsOf(all)
			.filter(({ severity }) => severity === "error")
			.map(problemText);

	test("every overlap is found, in any order", () => {
		expect(errors(at("a", 0x20000, 0x3000), at("b", 0x22000, 0x1000))).toEqual([
			"b at 0x22000 overlaps a, 0x20000 to 0x23000",
		]);
		expect(errors(at("b", 0x22000, 0x1000), at("a", 0x20000, 0x2001))).toHaveLength(1);
		expect(errors(at("b", 0x22000, 0x1000), at("a", 0x20000, 0x2000))).toEqual([]);
		// One that lies within another, and one behind both that overlaps the longer one only.
		expect(errors(at("a", 0x20000, 0x9000), at("b", 0x21000, 0x1000), at("c", 0x28000, 0x1000))).toEqual([
			"b at 0x21000 overlaps a, 0x20000 to 0x29000",
			"c at 0x28000 overlaps a, 0x20000 to 0x29000",
		]);
	});

	test("what lies over the table is found", () => {
		expect(errors(at("a", 0x8000, 0x1000))).toEqual(["a at 0x8000 lies below 0x9000, the table's end"]);
	});

	test("unknown flags are told of", () => {
		const [note] = problemsOf([{ ...at("a", 0x9000, 0x1000), flags: 0x80000002 }]);
		expect(note).toMatchObject({ severity: "note", text: "a has unknown flags 0x80000002" });
	});
});
