/** Our boot loader in a firmware file: its configuration, its stages, and what the machine code makes of them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { buildBootLoader } from "../../boot/build";
import { COMMAND_LENGTH, encodeCommand } from "../../ota/eboot";
import { SECTOR } from "../../ota/image";
import { type LayoutFile, readLayouts } from "../../partitions/layout-file";
import { readElf } from "../../tools/elf/elf";
import { findElfBootLoader } from "../../tools/elf-input";
import {
	type BootConfig,
	type BootStage,
	bootConfigVersion,
	decodeBootConfig,
	encodeBootConfig,
} from "../../tools/image/boot-config";
import { buildImage } from "../../tools/image/build-image";
import { bootConfigOf } from "../../tools/image/layout-config";
import { type OwnBootLoader, ownFirmware, parseOwnBootLoader } from "../../tools/image/own-boot-loader";
import { imageInfo } from "../../tools/image-info";
import { firmware } from "../judge/images";
import { bootMachine } from "../lx106/boot/boot";
import { runEboot } from "../virtual/eboot";
import { NorControl, NorFlash } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { RtcMemory } from "../virtual/rtc";
import { withCompiler } from "./lx106";
import { CONFIG, firstStage, SECOND_STAGE } from "./own-firmware";
import { temporaryFolder } from "./signing-bench";

const layouts = new Map(readLayouts());
const layout = (name: string) => layouts.get(`${name}.json`) as LayoutFile;
const nodemcu = layout("nodemcu-4m");

const words = fc.record<BootConfig & BootStage>(
	Object.fromEntries(
		[...Object.keys(CONFIG), "stageLength", "stageCRC"].map((field) => [
			field,
			fc.integer({ min: 0, max: 0xffffffff }),
		]),
	) as { [field in keyof (BootConfig & BootStage)]: fc.Arbitrary<number> },
);

describe("the configuration", () => {
	test("comes back as it was written, wherever it lies", () => {
		fc.assert(
			fc.property(words, fc.integer({ min: 0, max: 40 }), (config, offset) => {
				const bytes = new Uint8Array(offset + 48);
				bytes.set(encodeBootConfig(config), offset);
				expect(decodeBootConfig(bytes, offset)).toEqual(config);
			}),
		);
	});

	test("is twelve words, in the order of SPEC.md", () => {
		const bytes = encodeBootConfig({ ...CONFIG, stageLength: 3184, stageCRC: 0x89abcdef });
		expect(Buffer.from(bytes).toString("latin1", 0, 4)).toBe("OTAB");
		expect([...new Uint32Array(bytes.buffer)].slice(1)).toEqual([
			1, 0x400000, 0x3fa000, 0x100000, 0, 0, 0x200000, 0x3fa000, 0x102000, 3184, 0x89abcdef,
		]);
	});

	test("of another version tells that, and nothing more", () => {
		const bytes = encodeBootConfig({ ...CONFIG, stageLength: 4, stageCRC: 0 });
		bytes[4] = 2;
		expect(bootConfigVersion(bytes, 0)).toBe(2);
		expect(decodeBootConfig(bytes, 0)).toBeUndefined();
	});

	test("is not found in other bytes, nor where it is cut short", () => {
		const bytes = encodeBootConfig({ ...CONFIG, stageLength: 4, stageCRC: 0 });
		expect(decodeBootConfig(bytes.subarray(0, 47), 0)).toBeUndefined();
		expect(bootConfigVersion(bytes, 4)).toBeUndefined();
		expect(bootConfigVersion(firmware({ seed: 1, length: 2 * SECTOR }))).toBeUndefined();
	});
});

describe("a layout's places", () => {
	test("are those of its partitions", () => {
		expect(bootConfigOf(nodemcu)).toEqual(CONFIG);
		expect(bootConfigOf(layout("nodemcu-4m-1m"))).toMatchObject({
			previous: 0x104000,
			previousEnd: 0x202000,
			filesystem: 0x300000,
		});
	});

	test.each([
		["bootrecord", 4096],
		["bootstages", 8192],
		["running", 4096],
		["storage", 4096],
	])("without %s, or with less than it takes, are refused", (name, size) => {
		const { [name]: gone, ...partitions } = nodemcu.partitions;
		const small = { ...partitions, [name]: { offset: gone?.offset ?? "", size: String(size - 4096) } };
		for (const faulty of [
			{ ...nodemcu, partitions },
			{ ...nodemcu, partitions: small },
		]) {
			expect(() => bootConfigOf(faulty, "mine")).toThrow(
				`mine: our boot loader wants a partition ${name} of ${size} bytes: choose another layout, or give an eboot.elf to --bootloader`,
			);
		}
	});
});

describe("a firmware file", () => {
	const application = (length: number) => firmware({ seed: 3, length: length + SECTOR }).subarray(SECTOR);

	test.each([SECTOR - 16, SECTOR, SECTOR + 16])(
		"with an application of %d bytes has the second stage at the next sector",
		(length) => {
			const image = application(length);
			expect(image).toHaveLength(length);
			const file = ownFirmware({
				firstStage: firstStage(),
				secondStage: SECOND_STAGE,
				application: image,
			});
			const offset = length > SECTOR ? 3 * SECTOR : 2 * SECTOR;
			expect(file).toHaveLength(offset + SECOND_STAGE.length);
			expect(Buffer.compare(file.subarray(SECTOR, SECTOR + length), image)).toBe(0);
			expect(file.subarray(SECTOR + length, offset).every((byte) => byte === 0xff)).toBe(true);
			expect(Buffer.compare(file.subarray(offset), SECOND_STAGE)).toBe(0);
			expect(imageInfo(file).faults).toEqual([]);
		},
	);

	test("counts sector and application in the packer's words, not the second stage", () => {
		const image = firmware({ seed: 3, length: 3 * SECTOR, packed: true }).slice(SECTOR);
		image.fill(0, 16, 24);
		const parts = { firstStage: firstStage(), secondStage: SECOND_STAGE, application: image };
		const file = ownFirmware({ ...parts, packerWords: true });
		expect(new DataView(file.buffer).getUint32(0x1010, true)).toBe(SECTOR + image.length);
		expect(imageInfo(file)).toMatchObject({ packerWords: "right", faults: [] });
	});

	test("has no application over the second stage in instruction RAM", () => {
		const filling = (end: number) =>
			buildImage({
				segments: [{ address: 0x4010b000, data: new Uint8Array(end - 0x4010b000) }],
				entry: 0x4010b000,
			});
		const parts = { firstStage: firstStage(), secondStage: SECOND_STAGE };
		expect(() => ownFirmware({ ...parts, application: filling(0x4010e000) })).not.toThrow();
		expect(() => ownFirmware({ ...parts, application: filling(0x4010e004) })).toThrow(
			new RangeError("its segment at 0x4010b000 ends at 0x4010e004, our boot loader runs from 0x4010e000 on"),
		);
	});
});

test("a boot loader that is not built is told how to be", async () => {
	const file = join(temporaryFolder(), "boot.elf");
	const found = { name: "nodemcu-4m", layout: nodemcu };
	await expect(findElfBootLoader(undefined, found, file)).rejects.toThrow(
		`${file}: our boot loader is not built: npm run build:boot makes it (apt-get install gcc-xtensa-lx106)`,
	);
	writeFileSync(file, "no program");
	await expect(findElfBootLoader(undefined, found, file)).rejects.toThrow(
		`${file} cannot be packed: not an ELF file`,
	);
});

/** As esptool looks at an image: its segments one behind the other, and the checksum at the end of their line. */
function esptool(image: Uint8Array): { segments: [address: number, data: Buffer][]; isRight: boolean } {
	const bytes = Buffer.from(image);
	const segments: [number, Buffer][] = [];
	let at = 8;
	let checksum = 0xef;
	for (let i = 0; i < bytes.readUInt8(1); i++) {
		const data = bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at + 4));
		segments.push([bytes.readUInt32LE(at), data]);
		for (const byte of data) checksum ^= byte;
		at += 8 + data.length;
	}
	const place = at + 15 - (at % 16);
	return { segments, isRight: bytes.readUInt8(place) === checksum && bytes.length === place + 1 };
}

withCompiler("the boot loader as it is built", () => {
	let built: Buffer;
	let own: OwnBootLoader;
	const old = firmware({ seed: 1, length: 3 * SECTOR - 300, packed: true });
	const file = () => {
		const application = old.slice(SECTOR);
		application.fill(0, 16, 24);
		const image = own.image(bootConfigOf(nodemcu));
		return ownFirmware({
			firstStage: image,
			secondStage: own.secondStage,
			application,
			packerWords: true,
		});
	};

	beforeAll(() => {
		const elf = join(temporaryFolder(), "boot.elf");
		buildBootLoader(elf);
		built = readFileSync(elf);
		own = parseOwnBootLoader(built);
	});

	test("has its first stage in an image with the layout's places, and zlib's CRC-32 of the second", () => {
		const image = own.image(bootConfigOf(nodemcu), { flashMode: 0, flashSize: 2, flashFrequency: 15 });
		expect([...image.subarray(0, 4)]).toEqual([0xe9, 2, 0, 0x2f]);
		const { segments, isRight } = esptool(image);
		expect(isRight).toBe(true);
		const { sections, entry } = readElf(built);
		const section = (wanted: string) =>
			sections.find(({ name }) => name === wanted)?.data ?? new Uint8Array();
		expect(new DataView(image.buffer).getUint32(4, true)).toBe(entry);
		expect(segments.map(([address]) => address)).toEqual([0x3ffe8000, 0x4010f000]);
		expect(Buffer.compare(segments[1]?.[1] ?? built, section(".text"))).toBe(0);
		expect(Buffer.compare(segments[0]?.[1].subarray(48) ?? built, section(".data").subarray(48))).toBe(0);
		expect(Buffer.compare(own.secondStage, section(".second"))).toBe(0);
		// gzip's trailer has the CRC that zlib counts.
		const stageCRC = gzipSync(own.secondStage).readUInt32LE(gzipSync(own.secondStage).length - 8);
		const stageLength = own.secondStage.length;
		expect(decodeBootConfig(image)).toEqual({ ...CONFIG, stageLength, stageCRC });
	});

	test("leaves the program as it was, for another layout", () => {
		const before = own.image(bootConfigOf(nodemcu));
		own.image(bootConfigOf(layout("generic-512k")));
		expect(Buffer.compare(own.image(bootConfigOf(nodemcu)), before)).toBe(0);
	});

	test("is no other program", () => {
		const text = built.toString("latin1");
		const changed = (from: string, to: string) => Buffer.from(text.replaceAll(from, to), "latin1");
		expect(() => parseOwnBootLoader(changed(".second", ".sekond"))).toThrow(
			"it has no section .second, which our boot loader has",
		);
		expect(() => parseOwnBootLoader(changed("OTAB\x01", "OTAB\x02"))).toThrow(
			"it does not begin with a configuration of version 1",
		);
	});

	describe("started by the mask ROM from a file as it is flashed", () => {
		const insert = () => {
			const cells = new Uint8Array(0x400000).fill(0xff);
			cells.set(file());
			const control = NorControl.create();
			return { cells, control, flash: NorFlash.inMemory(cells, { control }), rtc: new RtcMemory() };
		};
		const start = ({ flash, rtc }: ReturnType<typeof insert>) => {
			let uart = "";
			const print = (text: string) => {
				uart += text;
			};
			const outcome = bootMachine({ flash, rtc, print, cause: ResetCause.POWER });
			return { ...outcome, uart };
		};
		const isStage = (cells: Uint8Array, offset: number) =>
			Buffer.compare(cells.subarray(offset, offset + own.secondStage.length), own.secondStage) === 0;

		test("writes both copies of its second stage, then starts the application", () => {
			const board = insert();
			const before = board.cells.slice();
			const outcome = start(board);
			expect(outcome).toMatchObject({ kind: "jump", entry: 0x40100004 });
			expect(outcome.fault).toBeUndefined();
			expect(outcome.uart).toMatch(/~ld\r\n$/);
			expect([CONFIG.stages, CONFIG.stages + SECTOR].map((at) => isStage(board.cells, at))).toEqual([
				true,
				true,
			]);
			// Nothing else is touched.
			board.cells.fill(0xff, CONFIG.stages, CONFIG.stages + 2 * SECTOR);
			expect(Buffer.compare(board.cells, before)).toBe(0);
		});

		test("writes nothing at the second start, nor without what was behind the application", () => {
			const board = insert();
			start(board);
			board.cells.fill(0xff, 3 * SECTOR, 4 * SECTOR);
			const { operations } = board.control;
			expect(start(board).kind).toBe("jump");
			expect(board.control.operations).toBe(operations);
		});

		test("starts the application where the second stage is missing, too", () => {
			const board = insert();
			board.cells.fill(0xff, 3 * SECTOR, 4 * SECTOR);
			expect(start(board)).toMatchObject({ kind: "jump", entry: 0x40100004 });
			expect(isStage(board.cells, CONFIG.stages)).toBe(false);
		});

		test("comes to a board with eboot by an update through the air", () => {
			const board = insert();
			const staged = board.cells.slice(0, 4 * SECTOR);
			board.cells.fill(0xff).set(firmware({ seed: 2, length: 5 * SECTOR }));
			board.cells.set(staged, CONFIG.stages);
			const block = new Uint8Array(COMMAND_LENGTH);
			encodeCommand(block, { action: 1, source: CONFIG.stages, destination: 0, size: staged.length });
			board.rtc.write(0, block);
			expect(runEboot({ ...board, print() {} }).kind).toBe("jump");
			const outcome = start(board);
			expect(outcome).toMatchObject({ kind: "jump", entry: 0x40100004 });
			expect(outcome.uart).toMatch(/~ld\r\n$/);
			expect(isStage(board.cells, CONFIG.stages + SECTOR)).toBe(true);
		});

		test("waits for the cable where the application is damaged", () => {
			const board = insert();
			board.cells.fill(0, SECTOR + 100, SECTOR + 120);
			const outcome = start(board);
			expect(outcome.kind).toBe("hang");
			expect(outcome.uart).toMatch(/~no application, flash me\r\n$/);
		});
	});
});
