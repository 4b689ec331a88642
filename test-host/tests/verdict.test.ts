import { gzipSync, crc32 as zlibCRC } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GzipCRC } from "../../ota/gzip-crc";
import { RunningFirmware } from "../../ota/running";
import { judge, readExpectation, recordExpectation, type Verdict } from "../../ota/verdict";
import { ResetCause } from "../virtual/outcome";
import { board, firmware, md5, OLD, UpdaterBench } from "./updater-bench";

const NEW = firmware("2.0.0", 30_000);

/** What the next start says, or undefined. */
async function verdict(bench: UpdaterBench): Promise<Verdict | undefined> {
	bench.start();
	return new Promise((resolve) => {
		judge(board, new RunningFirmware(), resolve);
		if (!readExpectation(board)) resolve(undefined);
	});
}

/** The boot loader finds no command: it starts what is there, as if all were well. */
function loseCommand(bench: UpdaterBench): void {
	bench.rtc.write(0, new Uint8Array(4));
}

test("an update that runs took effect", async () => {
	const bench = new UpdaterBench();
	bench.update(NEW);
	bench.restart();
	bench.runs();
	expect(await verdict(bench)).toMatchObject({
		tookEffect: true,
		text: "update to 2.0.0 took effect",
		kind: "firmware",
		version: "2.0.0",
		size: NEW.length,
		digest: md5(NEW),
	});
});

test("an update that the boot loader did not install did not take effect", async () => {
	const bench = new UpdaterBench();
	bench.update(NEW);
	bench.restart();
	loseCommand(bench);
	expect(bench.runs()).toBe("1.0.0");
	expect(await verdict(bench)).toMatchObject({
		tookEffect: false,
		text: "update to 2.0.0 did not take effect: the boot loader left 1.0.0 running",
	});
});

test("an update whose flash mode was changed took effect", async () => {
	const bench = new UpdaterBench();
	const quad = NEW.slice();
	quad[2] = 0;
	bench.update(quad);
	bench.restart();
	bench.runs();
	expect(await verdict(bench)).toMatchObject({ tookEffect: true, digest: md5(quad) });
});

/** A filesystem of 100,000 bytes in little, and its place full of another one. */
const FILES = new Uint8Array(100_000).map((_, i) => (i % 1000 < 50 ? i / 7 : 0xff));

describe.each([
	["raw", FILES],
	["compressed", gzipSync(FILES)],
])("an atomic filesystem update, %s,", (_, image) => {
	const staged = () => {
		const bench = new UpdaterBench({ atomicFilesystem: true });
		bench.put(0x200000, new Uint8Array(120_000).fill(9));
		bench.update(image, { kind: "filesystem" });
		bench.restart();
		return bench;
	};

	test("that the boot loader has brought to its place took effect", async () => {
		const bench = staged();
		// It then looks for an application in the filesystem; the next reset is a normal start.
		bench.runs();
		expect(bench.runs()).toBe("1.0.0");
		const text = "update of the filesystem (100000 bytes) took effect";
		expect(await verdict(bench)).toMatchObject({ tookEffect: true, text });
		expect(bench.get(0x200000, FILES.length)).toEqual(FILES);
	});

	test("that the boot loader has left where it was did not take effect", async () => {
		const bench = staged();
		loseCommand(bench);
		expect(bench.runs()).toBe("1.0.0");
		expect(await verdict(bench)).toMatchObject({ tookEffect: false });
		expect(bench.get(0x200000, 120_000)).toEqual(new Uint8Array(120_000).fill(9));
	});
});

test.each([true, false])(
	"a compressed update is judged by the CRC-32 in it (installed: %s)",
	async (installed) => {
		const bench = new UpdaterBench();
		bench.update(gzipSync(NEW));
		bench.restart();
		if (!installed) loseCommand(bench);
		bench.runs();
		const text = installed
			? "update to 2.0.0 took effect"
			: "update of the firmware (30000 bytes) did not take effect: the boot loader left 1.0.0 running";
		expect(await verdict(bench)).toMatchObject({ tookEffect: installed, text });
	},
);

test("a compressed update to what runs already took effect", async () => {
	const bench = new UpdaterBench();
	bench.update(gzipSync(OLD));
	bench.restart();
	bench.runs();
	expect(await verdict(bench)).toMatchObject({ tookEffect: true, text: "update to 1.0.0 took effect" });
});

test("the CRC-32 of a gzip is as zlib has it, whatever the pieces", () => {
	fc.assert(
		fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (pieces) => {
			const crc = new GzipCRC(board);
			for (const piece of pieces) crc.write(piece);
			expect(new DataView(crc.close()).getUint32(0, true)).toBe(zlibCRC(Buffer.concat(pieces)));
		}),
	);
});

test("a filesystem update is judged too", async () => {
	const bench = new UpdaterBench();
	const image = new Uint8Array(5000).fill(3);
	bench.update(image, { kind: "filesystem" });
	bench.restart();
	bench.runs();
	expect(await verdict(bench)).toMatchObject({
		tookEffect: true,
		text: "update of the filesystem (5000 bytes) took effect",
	});
});

test("a filesystem that was changed since did not take effect", async () => {
	const bench = new UpdaterBench();
	bench.update(new Uint8Array(5000).fill(3), { kind: "filesystem" });
	bench.put(0x200000, new Uint8Array(16));
	expect((await verdict(bench))?.text).toBe(
		"update of the filesystem (5000 bytes) did not take effect: the flash holds something else",
	);
});

test("is given once", async () => {
	const bench = new UpdaterBench();
	bench.update(NEW);
	bench.restart();
	bench.runs();
	expect(await verdict(bench)).toBeDefined();
	expect(await verdict(bench)).toBeUndefined();
});

test("is not given after a power cut, which the memory does not survive", async () => {
	const bench = new UpdaterBench();
	bench.update(NEW);
	expect(bench.runs(ResetCause.POWER)).toBe("1.0.0");
	expect(await verdict(bench)).toBeUndefined();
});

test("is not given of an update that failed, or was replaced by one that was abandoned", async () => {
	const bench = new UpdaterBench();
	bench.update(NEW);
	bench.open(NEW).close();
	expect(await verdict(bench)).toBeUndefined();
});

test("what is expected is read as it was recorded, and not at all with any bit flipped", () => {
	const bench = new UpdaterBench();
	const text = fc.string({ unit: fc.constantFrom(..."0123456789.-+abcXYZ"), maxLength: 32 });
	const hex = fc.string({
		unit: fc.constantFrom(..."0123456789abcdef"),
		minLength: 32,
		maxLength: 32,
	});
	fc.assert(
		fc.property(text, hex, fc.nat(), fc.boolean(), fc.nat(96 * 8 - 1), (version, md5, size, gzip, bit) => {
			const digest = gzip ? md5.slice(0, 8) : md5;
			const flashMode = size % 2 ? 2 : undefined;
			const from = `ArduinoOTA 192.168.1.${size % 256}`;
			const expectation = {
				kind: "firmware" as const,
				gzip,
				size,
				digest,
				version,
				flashMode,
				ms: size,
				from,
			};
			recordExpectation(board, expectation);
			expect(readExpectation(board)).toEqual(expectation);
			const word = new Uint8Array(4);
			const at = 128 + (bit >> 5) * 4;
			bench.rtc.read(at, word);
			word[(bit >> 3) & 3] = (word[(bit >> 3) & 3] ?? 0) ^ (1 << (bit & 7));
			bench.rtc.write(at, word);
			expect(readExpectation(board)).toBeUndefined();
		}),
	);
});
