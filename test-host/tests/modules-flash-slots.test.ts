/** The C of modules/flash with a partition table in flash, in XS; and its stand-in for Node, which must say the same. */
import { beforeAll, describe, expect, test } from "vitest";
import { AppSubtype, PartitionType, TABLE_OFFSET } from "../../ota/slots/partition-table";
import { encodeTable } from "../../tools/partitions/binary";
import flash from "../shims/flash";
import { installGlobals } from "../shims/globals";
import { buildFirmware, buildRtosBoot } from "../virtual/image-builder";
import { type Outcome, runNative, skipsXS, xsNote } from "./native-bench";
import { chipForTest } from "./shim-bench";
import { OTA_0, OTA_1, partition, TWO_SLOTS } from "./slots-bench";
import { put } from "./temporary-flash";

const SIZE = 0x400000;
const TABLE = encodeTable([...TWO_SLOTS, partition("preferences", 0x40, 0, 0x300000, 0x2000)]);
const ONE_SLOT = encodeTable(TWO_SLOTS.filter(({ label }) => label !== "ota_1"));
const FACTORY = encodeTable([
	...TWO_SLOTS,
	partition("factory", PartitionType.APP, AppSubtype.FACTORY, 0x310000, 0x10000),
]);
const EBOOT = buildFirmware({ script: "", name: "test", version: "1" });

type Contents = readonly (readonly [number, Uint8Array])[];
const withTable = (table: Uint8Array): Contents => [
	[0, buildRtosBoot()],
	[TABLE_OFFSET, table],
];
const NAMES = ["running", "nextota", "storage", "partition_table"];
const LABELS = ["nvs", "otadata", "phy_init", "ota_0", "ota_1"];

interface Board {
	name: string;
	contents: Contents;
	imageAddress: number;
	/** Names of partitions, each once. */
	names: readonly string[];
	/** Flash offsets by name. */
	places: Readonly<Record<string, number>>;
	/** Which of these may not be written. */
	readOnly: readonly string[];
	writable: readonly string[];
}

const boards: readonly Board[] = [
	{
		name: "that runs its first slot",
		contents: withTable(TABLE),
		imageAddress: OTA_0,
		names: [...NAMES, ...LABELS, "preferences"],
		places: {
			running: OTA_0,
			nextota: OTA_1,
			ota_0: OTA_0,
			ota_1: OTA_1,
			storage: 0x200000,
			otadata: 0xd000,
			partition_table: 0x8000,
		},
		readOnly: ["running", "ota_0", "phy_init", "partition_table", "preferences"],
		writable: ["nextota", "ota_1", "otadata", "nvs", "storage"],
	},
	{
		name: "that runs its second slot",
		contents: withTable(TABLE),
		imageAddress: OTA_1,
		names: [...NAMES, ...LABELS, "preferences"],
		places: { running: OTA_1, nextota: OTA_0, ota_1: OTA_1 },
		readOnly: ["running", "ota_1"],
		writable: ["nextota", "ota_0"],
	},
	{
		name: "that runs its factory's app",
		contents: withTable(FACTORY),
		imageAddress: 0x310000,
		names: [...NAMES, ...LABELS, "factory"],
		places: { running: 0x310000, nextota: OTA_0 },
		readOnly: ["running", "factory"],
		writable: ["ota_0", "ota_1"],
	},
	{
		name: "with one slot",
		contents: withTable(ONE_SLOT),
		imageAddress: OTA_0,
		names: ["running", "storage", "partition_table", "nvs", "otadata", "phy_init", "ota_0"],
		places: { running: OTA_0 },
		readOnly: ["running"],
		writable: ["storage"],
	},
	{
		name: "whose table has a wrong MD5",
		contents: withTable(TABLE.with(13, 0x41)),
		imageAddress: OTA_0,
		names: ["partition_table"],
		places: { partition_table: 0x8000 },
		readOnly: ["partition_table"],
		writable: [],
	},
	{
		name: "whose table is gone while its second slot runs",
		contents: [[0, buildRtosBoot()]],
		imageAddress: OTA_1,
		names: ["partition_table"],
		places: { partition_table: 0x8000 },
		readOnly: ["partition_table"],
		writable: [],
	},
	{
		name: "with eboot, whose application has a table's bytes in it",
		contents: [
			[0, EBOOT],
			[TABLE_OFFSET, TABLE],
		],
		imageAddress: 0,
		names: ["running", "preferences", "bootstages", "nextota", "storage", "bootrecord"],
		places: { running: 0, nextota: 0x104000 },
		readOnly: ["running", "preferences", "bootstages"],
		writable: ["nextota", "storage", "bootrecord"],
	},
];

/** Both faces of the same questions, as expressions. */
function questionsOf({ places, readOnly, writable }: Board): Record<string, string> {
	const at = (name: string) => `flash.open({ path: "${name}", mode: "r" }).status().address`;
	const writes = (name: string) => `flash.open({ path: "${name}" }).write(new Uint8Array(1), 0)`;
	return {
		names: "[...flash]",
		...Object.fromEntries(Object.keys(places).map((name) => [`place of ${name}`, at(name)])),
		...Object.fromEntries([...readOnly, ...writable].map((name) => [`write to ${name}`, writes(name)])),
		nothing: `flash.open({ path: "ota_7" })`,
		beyond: `flash.open({ path: "partition_table", mode: "r" }).read(1, 4096)`,
	};
}

function expectedOf({ names, places, readOnly, writable }: Board): Record<string, string> {
	const hasTable = names.includes("partition_table");
	return {
		names: JSON.stringify(names),
		...Object.fromEntries(Object.entries(places).map(([name, at]) => [`place of ${name}`, String(at)])),
		...Object.fromEntries(readOnly.map((name) => [`write to ${name}`, "Error"])),
		...Object.fromEntries(writable.map((name) => [`write to ${name}`, "undefined"])),
		nothing: "Error",
		beyond: hasTable ? "RangeError" : "Error",
	};
}

describe.each(boards)("a board $name", (board) => {
	describe.skipIf(skipsXS)(`by the C of the device${xsNote}`, () => {
		let outcome: Outcome | undefined;
		beforeAll(async () => {
			outcome = await runNative(questionsOf(board), {
				contents: board.contents,
				imageAddress: board.imageAddress,
				helpers: `import flash from "embedded:storage/flash";`,
			});
		});
		test.each(Object.entries(expectedOf(board)))("%s", (name, expected) => {
			expect(outcome?.answers.get(name)).toBe(expected);
		});
	});

	test("says the same on Node", () => {
		installGlobals();
		const chip = chipForTest({ imageAddress: board.imageAddress }, SIZE);
		for (const [address, bytes] of board.contents) put(chip.flash, address, bytes);
		const answers = Object.entries(questionsOf(board)).map(([name, question]) => {
			try {
				const answer: unknown = new Function("flash", `return ${question}`)(flash);
				return [name, answer === undefined ? "undefined" : JSON.stringify(answer)];
			} catch (error) {
				return [name, (error as Error).constructor.name];
			}
		});
		expect(Object.fromEntries(answers)).toEqual(expectedOf(board));
	});
});
