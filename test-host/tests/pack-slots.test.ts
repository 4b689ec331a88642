import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packedUpgrade, upgradeChecksum } from "../../tools/image/upgrade";
import { imageInfo } from "../../tools/image-info";
import { encodeTable } from "../../tools/partitions/binary";
import { parseCSV } from "../../tools/partitions/csv";
import { buildImage, type ImageOptions } from "../virtual/image-builder";
import { ota8266, ota8266Here, usage } from "./command-line";
import { failure, firmware, temporaryFolder } from "./signing-bench";

const IRAM = 0x40100000;
const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const file = (name: string, content: string | Uint8Array) => {
	writeFileSync(path(name), content);
	return path(name);
};
const filled = (length: number, start: number) =>
	Uint8Array.from({ length }, (_, i) => (i * 7 + start) & 255);
const code = { address: IRAM, data: filled(4000, 4) };
const image = (more: Partial<ImageOptions> = {}) =>
	buildImage({ segments: [code], entry: IRAM + 4, ...more });

const bootLoaderImage = image({
	segments: [
		{ address: IRAM, data: filled(9000, 1) },
		{ address: 0x3ffe8000, data: filled(400, 2) },
	],
});
/** For ota_0 at 0x10000: mapped behind the image's header and the segment's, where the boot loader jumps. */
const application = (address: number, more: Partial<ImageOptions> = {}, length = 50_001) =>
	image({ segments: [{ address, data: filled(length, 3) }, code], entry: address + 16, ...more });
const lamp = application(0x40210010);

/** The SDK's own table of two slots. */
const CSV = file(
	"two-ota.csv",
	`nvs, data, nvs, 0x9000, 0x4000
otadata, data, ota, 0xd000, 0x2000
phy_init, data, phy, 0xf000, 0x1000
ota_0, app, ota_0, 0x10000, 0xF0000
ota_1, app, ota_1, 0x110000, 0xF0000
`,
);
const bootLoader = file("bootloader.bin", bootLoaderImage);
const input = file("lamp.bin", lamp);

/** Runs the command; what is not given is right. */
const packing =
	(...how: string[]) =>
	(options: Record<string, string> = {}) => {
		const all = { bootloader: bootLoader, partitions: CSV, in: input, out: path("refused.bin"), ...options };
		const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
		return ota8266Here("pack", ...how, ...args);
	};
const pack = packing("--upgrade");
const packFlash = packing();

describe("the closing word", () => {
	// Made with the ESP8266_RTOS_SDK's own packer.
	test.each([
		["123456789", 0x340bc6d9],
		["a", 0x174841bc],
		["abc", 0x352441c3],
		["", 1],
	])("of %j", (text, word) => {
		expect(upgradeChecksum(new TextEncoder().encode(text))).toBe(word);
	});
});

describe("ota8266 pack --upgrade", () => {
	test("makes the file that the SDK's packer makes of the same pieces", async () => {
		const out = path("lamp.v2_to_v3.ota.bin");
		const { code, stdout, stderr } = await pack({ out });
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
		const bytes = readFileSync(out);
		expect(stdout).toBe(`Boot loader      0x001000  9440 bytes, ${bootLoader}
Partition table  0x008000  3072 bytes, ${CSV}
ota_0            0x010000  54032 bytes, ${input}
Packed                     ${bytes.length} bytes, ${out}
`);
		expect(createHash("sha256").update(bytes).digest("hex")).toBe(
			"01de0bc36784df14ee2937ccf84a5eb15e193adab16204b4cf09705b598ea4d6",
		);
	});

	test("takes the table's bytes too, and is a command like the others", async () => {
		const table = file("table.bin", encodeTable(parseCSV(readFileSync(CSV, "utf8"))));
		const out = path("from-bytes.bin");
		const args = ["--bootloader", bootLoader, "--partitions", table, "--in", input, "--out", out];
		const outcome = await ota8266("pack", "--upgrade", ...args);
		expect(outcome).toMatchObject({ code: 0, stderr: "" });
		await pack({ out: path("from-csv.bin") });
		expect(readFileSync(out)).toEqual(readFileSync(path("from-csv.bin")));
		const shown = await ota8266Here("partitions", "show", out, "--json");
		expect(JSON.parse(shown.stdout)).toMatchObject({ ok: true, kind: "packed upgrade", md5: true });
	});

	test("with an eboot in front is a firmware that a board with eboot takes", async () => {
		const out = path("lamp.eboot.bin");
		expect(await pack({ out, eboot: file("firmware.bin", firmware) })).toMatchObject({ code: 0 });
		await pack({ out: path("bare.bin") });
		const bytes = readFileSync(out);
		expect(bytes.subarray(4096)).toEqual(readFileSync(path("bare.bin")));
		expect(imageInfo(bytes)).toMatchObject({
			kind: "firmware",
			faults: [],
			application: { offset: 0x1000, size: bootLoaderImage.length },
		});
		expect(bytes.subarray(0, 4096)).toEqual(Buffer.from(firmware.subarray(0, 4096)));
	});

	test("gives a slot in another MiB an image that is linked as for the first", async () => {
		const csv = "otadata,data,ota,,8K\nota_0,app,ota_0,0x110000,960K\n";
		const partitions = file("second-mib.csv", csv);
		expect(await pack({ partitions, out: path("second-mib.bin") })).toMatchObject({ code: 0 });
	});

	test("takes the application for the factory partition where there is one", async () => {
		const csv = "otadata,data,ota,,8K\nfactory,app,factory,64K,448K\nota_0,app,ota_0,512K,448K\n";
		const { stdout } = await pack({ partitions: file("factory.csv", csv), out: path("factory.bin") });
		expect(stdout).toMatch(/^factory +0x010000 /m);
	});

	test("refuses what would not start, and leaves no file", async () => {
		const refused = async (options: Record<string, string>) => failure(await pack(options));
		const linked = file("linked.bin", application(0x40201010));
		expect(await refused({ in: linked })).toBe(
			`${linked} cannot be packed: The image is linked for flash 0x1000 of its MiB, the free slot is at 0x10000: send the one that is made for that slot\n`,
		);
		expect(await refused({ in: file("fw.bin", firmware) })).toContain("it has a boot loader in front");
		expect(await refused({ in: file("iram.bin", image()) })).toContain("application segment");
		// Where eboot would start it: the boot loader for slots loads nothing there.
		const unloaded = file("unloaded.bin", application(0x40210010, { entry: IRAM + 4 }));
		expect(await refused({ in: unloaded })).toContain("application entry");
		const small = file("small.bin", application(0x40210010, { flashSize: 2 }));
		expect(await refused({ in: small })).toContain(
			"its header tells of a flash of 0x100000 bytes, the table ends at 0x200000",
		);
		const damaged = Uint8Array.from(lamp);
		damaged[1000] = (damaged[1000] ?? 0) ^ 1;
		const damagedFile = file("damaged.bin", damaged);
		expect(await refused({ in: damagedFile })).toContain("its image is damaged, checksum wrong");
		expect(await refused({ bootloader: damagedFile })).toContain("its image is damaged");
		expect(await refused({ bootloader: CSV })).toContain("it does not begin with an image");
		expect(await refused({ bootloader: input })).toContain("54032 bytes, it has 28672 before the table");
		expect(await refused({ eboot: bootLoader })).toContain("no eboot: boot loader segment");
		const noApp = file("no-app.csv", "nvs,data,nvs,,4K\n");
		expect(await refused({ partitions: noApp })).toContain("no app");
		const slotless = file("test-only.csv", "test,app,test,64K,64K\n");
		expect(await refused({ partitions: slotless })).toContain("neither a factory app nor ota_0");
		const broken = file("broken.csv", "nvs,data,nvs\n");
		expect(await refused({ partitions: broken })).toBe(`${broken}: line 1: the size is missing\n`);
		expect(existsSync(path("refused.bin"))).toBe(false);
	});

	test("fills a slot to its last byte, and not beyond", async () => {
		const csv = (size: number) => `otadata,data,ota,,8K\nota_0,app,ota_0,64K,${size}\n`;
		const whole = application(0x40210010, {}, 0x10000 - 8 - 8 - 8 - 4000 - 16);
		expect(whole.length).toBe(0x10000);
		const inFile = file("whole.bin", whole);
		const out = path("whole.upgrade.bin");
		expect(await pack({ in: inFile, partitions: file("whole.csv", csv(0x10000)), out })).toMatchObject({
			code: 0,
		});
		expect(failure(await pack({ in: inFile, partitions: file("less.csv", csv(0xf000)) }))).toContain(
			"65536 bytes, ota_0 has 61440",
		);
	});

	test("without --upgrade is the flash from 0 on, for the cable", async () => {
		const out = path("flash.bin");
		const { code, stdout } = await packFlash({ out });
		expect(code).toBe(0);
		expect(stdout).toMatch(/^Boot loader +0x000000 +9440 bytes/);
		const bytes = readFileSync(out);
		expect(bytes.length).toBe(0x10000 + lamp.length);
		const wanted = new Uint8Array(bytes.length).fill(0xff);
		wanted.set(bootLoaderImage);
		wanted.set(encodeTable(parseCSV(readFileSync(CSV, "utf8"))), 0x8000);
		wanted.set(lamp, 0x10000);
		expect(Buffer.compare(bytes, wanted)).toBe(0);
		const shown = await ota8266Here("partitions", "show", out, "--json");
		expect(JSON.parse(shown.stdout)).toMatchObject({ ok: true, kind: "flash" });
		const small = file("small-boot.bin", image({ flashSize: 2 }));
		expect(failure(await packFlash({ bootloader: small }))).toContain("a flash of 0x100000 bytes");
		expect(failure(await packFlash({ bootloader: input }))).toContain("it has 32768 before the table");
	});

	test.each([
		[
			"no table",
			"--upgrade --bootloader x --in a --out b",
			"for slots give both --partitions and --bootloader",
		],
		["no --upgrade", "--eboot x --in a --out b", "--eboot wants --upgrade"],
		["no boot loader", "--partitions x --in a --out b", "for slots give both"],
		["a gzip", "--partitions x --gzip --in a --out b", "cannot be used with option '--gzip [best]'"],
		["a signature", "--partitions x --sign x --in a --out b", "cannot be used with option '--sign <key>'"],
	])("says what is wrong with the usage: %s", async (_, line, message) => {
		const { code, stderr } = await usage("pack", ...line.split(" "));
		expect(stderr).toContain(message);
		expect(code).toBe(2);
	});
});

test("what lies where in the file is what lies where in the flash, the rest is FF", () => {
	const piece = fc.record({ gap: fc.nat(3), bytes: fc.uint8Array({ minLength: 1, maxLength: 9000 }) });
	fc.assert(
		fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (all) => {
			let sector = 1;
			const pieces = all.map(({ gap, bytes }) => {
				const offset = (sector + gap) * 4096;
				sector = Math.ceil((offset + bytes.length) / 4096);
				return { offset, bytes };
			});
			const bytes = packedUpgrade([...pieces].reverse());
			const end = Math.max(...pieces.map((each) => each.offset + each.bytes.length));
			const flash = new Uint8Array(end - 4096).fill(0xff);
			for (const { offset, bytes } of pieces) flash.set(bytes, offset - 4096);
			expect(Buffer.compare(bytes.subarray(0, -4), flash)).toBe(0);
			expect(new DataView(bytes.buffer).getUint32(bytes.length - 4, true)).toBe(upgradeChecksum(flash));
		}),
		{ numRuns: 50 },
	);
	expect(() => packedUpgrade([{ offset: 0, bytes: lamp }])).toThrow(RangeError);
	const two = [
		{ offset: 0x1000, bytes: new Uint8Array(4097) },
		{ offset: 0x2000, bytes: lamp },
	];
	expect(() => packedUpgrade(two)).toThrow(RangeError);
});
