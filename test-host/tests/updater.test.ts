import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTION_COPY_RAW, COMMAND_LENGTH, decodeCommand } from "../../ota/eboot";
import { ErrorCode } from "../../ota/errors";
import { RunningFirmware } from "../../ota/running";
import { codeOf, firmware, md5, OLD, UpdaterBench } from "./updater-bench";

const NEW = firmware("2.0.0", 30_000);
const FILESYSTEM = 0x200000;
const STAGING = 0x104000;
const STORAGE_SIZE = 0x1fa000;

function filled(length: number, seed = 7): Uint8Array {
	return Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) & 0xff);
}

/** A whole gzip that says in its end that it is 64 MiB. */
function impossible(): Uint8Array {
	const image = gzipSync(new Uint8Array(20_000));
	image.writeUInt32LE(900_000, image.length - 4);
	return image;
}

function commandOf(bench: UpdaterBench) {
	const block = new Uint8Array(COMMAND_LENGTH);
	bench.rtc.read(0, block);
	return decodeCommand(block);
}

describe("a firmware update", () => {
	test("is staged right below the filesystem and copied over the running one", () => {
		const bench = new UpdaterBench();
		bench.update(NEW);
		const start = FILESYSTEM - 32768;
		expect(md5(bench.get(start, NEW.length))).toBe(md5(NEW));
		bench.restart();
		expect(commandOf(bench)).toEqual({
			action: ACTION_COPY_RAW,
			source: start,
			destination: 0,
			size: NEW.length,
		});
		expect(bench.runs()).toBe("2.0.0");
	});

	test("writes no command before the restart", () => {
		const bench = new UpdaterBench();
		bench.update(NEW);
		expect(bench.hasCommand).toBe(false);
		expect(bench.runs()).toBe("1.0.0");
	});

	test("of unknown length ends where its bytes end", () => {
		const bench = new UpdaterBench();
		bench.update(NEW, { byteLength: undefined });
		bench.restart();
		expect(commandOf(bench)).toMatchObject({ source: STAGING, size: NEW.length });
		expect(bench.runs()).toBe("2.0.0");
	});

	test("compressed is staged as it is and inflated by the boot loader", () => {
		const bench = new UpdaterBench();
		const gzip = gzipSync(NEW);
		bench.update(gzip);
		bench.restart();
		expect(commandOf(bench)?.size).toBe(gzip.length);
		expect(bench.runs()).toBe("2.0.0");
	});

	test("counts the flash mode as it was sent and writes the one that the device runs with", () => {
		const bench = new UpdaterBench();
		const quad = NEW.slice();
		quad[2] = 0;
		bench.update(quad);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
		expect(bench.get(0, 4)[2]).toBe(OLD[2]);
	});

	test("compressed keeps its flash mode", () => {
		const bench = new UpdaterBench();
		const quad = NEW.slice();
		quad[2] = 0;
		const gzip = gzipSync(quad);
		bench.update(gzip);
		const start = FILESYSTEM - Math.ceil(gzip.length / 4096) * 4096;
		expect(md5(bench.get(start, gzip.length))).toBe(md5(gzip));
	});

	test("takes an MD5 in upper case, and none", () => {
		const bench = new UpdaterBench();
		bench.update(NEW, { md5: md5(NEW).toUpperCase() });
		bench.update(NEW, { md5: undefined });
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("fills the whole staging area", () => {
		const bench = new UpdaterBench();
		const full = firmware("3.0.0", FILESYSTEM - STAGING);
		bench.update(full, {}, 65536);
		bench.restart();
		expect(bench.runs()).toBe("3.0.0");
	});

	test("erases each sector just before it writes it", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		const start = FILESYSTEM - 32768;
		bench.put(start + 4096, filled(16));
		update.write(NEW.subarray(0, 4096));
		expect(bench.get(start + 4096, 16)).toEqual(filled(16));
		update.close();
	});

	test("on a 1 MiB board goes between the running firmware and the filesystem", () => {
		const running = OLD.slice();
		running[3] = 0x20;
		const image = NEW.slice();
		image[3] = 0x20;
		const bench = new UpdaterBench({ size: 0x100000, running });
		expect(bench.updater.freeSpace("firmware")).toBe(0xe6000 - 20_480);
		bench.update(image);
		bench.restart();
		expect(commandOf(bench)?.source).toBe(0xe6000 - 32768);
		expect(bench.runs()).toBe("2.0.0");
	});

	test("arrives the same in whatever pieces", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 12 }), (sizes) => {
				const bench = new UpdaterBench();
				const update = bench.open(NEW);
				let at = 0;
				for (const size of [...sizes, NEW.length]) {
					const piece = NEW.slice(at, at + size);
					update.write(size % 2 ? piece : piece.buffer);
					at += piece.length;
				}
				update.complete();
				expect(md5(bench.get(FILESYSTEM - 32768, NEW.length))).toBe(md5(NEW));
			}),
			{ numRuns: 25 },
		);
	});

	test("says with each write whether a sector was programmed", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		expect(update.write(NEW.subarray(0, 4095))).toBe(false);
		expect(update.write(NEW.subarray(4095, 4096))).toBe(true);
		update.close();
	});

	test("lights the LED while the flash works, and leaves it off", () => {
		const lit: boolean[] = [];
		const bench = new UpdaterBench({ led: (on) => lit.push(on) });
		bench.update(NEW);
		expect(lit).toEqual(Array.from({ length: 2 * 8 }, (_, i) => i % 2 === 0));
		bench.soil();
		bench.flash.control.arm({ at: bench.flash.operations, kind: "fail" });
		expect(codeOf(() => bench.update(NEW))).toBe(ErrorCode.ERASE);
		expect(lit.at(-1)).toBe(false);
	});

	test("reports start, progress and end", () => {
		const bench = new UpdaterBench();
		const told: string[] = [];
		bench.update(
			NEW,
			{
				onStart: () => told.push("start"),
				onProgress: (done, total) => told.push(`${done} of ${total}`),
				onEnd: () => told.push("end"),
			},
			16_000,
		);
		expect(told).toEqual(["start", "16000 of 30000", "30000 of 30000", "end"]);
	});
});

describe("a filesystem update", () => {
	test.each([1, 4095, 4096, 4097, STORAGE_SIZE])("of %i bytes is written in place", (length) => {
		const bench = new UpdaterBench();
		const image = filled(length);
		bench.update(image, { kind: "filesystem" }, 65536);
		expect(md5(bench.get(FILESYSTEM, length))).toBe(md5(image));
	});

	test("chooses nothing for the boot", () => {
		const bench = new UpdaterBench();
		bench.update(filled(5000), { kind: "filesystem" });
		bench.restart();
		expect(bench.hasCommand).toBe(false);
		expect(bench.runs()).toBe("1.0.0");
	});

	test("is taken whatever its first byte is, and not patched", () => {
		const bench = new UpdaterBench();
		const image = Uint8Array.of(0xe9, 1, 0, 0x40, 0, 0, 0, 0);
		bench.update(image, { kind: "filesystem" });
		expect(bench.get(FILESYSTEM, 8)).toEqual(image);
	});

	test("larger than its area is refused", () => {
		const bench = new UpdaterBench();
		const open = () => bench.updater.open({ kind: "filesystem", byteLength: STORAGE_SIZE + 1 });
		expect(codeOf(open)).toBe(ErrorCode.SPACE);
	});
});

describe("an update that cannot succeed is refused before the flash is touched:", () => {
	function refused(bench: UpdaterBench, operate: () => unknown): string | undefined {
		let text: string | undefined;
		try {
			operate();
		} catch (error) {
			text = String(error);
		}
		expect(bench.flash.operations).toBe(0);
		expect(bench.updater.busy).toBe(false);
		bench.restart();
		expect(bench.runs()).toBe("1.0.0");
		return text;
	}

	test("size 0", () => {
		const bench = new UpdaterBench();
		const open = () => bench.open(NEW, { byteLength: 0 });
		expect(refused(bench, open)).toBe("ERROR[5]: Bad Size Given");
	});

	test("one byte above the free space", () => {
		const bench = new UpdaterBench();
		const open = () => bench.open(NEW, { byteLength: FILESYSTEM - STAGING + 1 });
		expect(refused(bench, open)).toBe("ERROR[4]: Not Enough Space");
	});

	test("a flash that is smaller than the header says", () => {
		const running = OLD.slice();
		running[3] = 0x40;
		const bench = new UpdaterBench({ size: 0x200000, running });
		expect(refused(bench, () => bench.open(NEW))).toBe(
			"ERROR[8]: Flash config wrong: real: 2097152, SDK: 4194304",
		);
	});

	test("a board that would restart into UART download", () => {
		const bench = new UpdaterBench({ bootMode: 1 });
		expect(refused(bench, () => bench.open(NEW))).toBe(
			"ERROR[11]: Invalid bootstrapping state, reset ESP8266 before updating",
		);
	});

	test("a kind that is none", () => {
		const bench = new UpdaterBench();
		const open = () => bench.open(NEW, { kind: "bootloader" as "firmware" });
		expect(refused(bench, open)).toBe("ERROR[16]: Unknown update command");
	});

	test("an MD5 that is none", () => {
		const bench = new UpdaterBench();
		const open = () => bench.open(NEW, { md5: "0123" });
		expect(refused(bench, open)).toBe("ERROR[106]: Bad MD5 given: 32 hexadecimal digits wanted");
	});

	test("a first byte that is neither an image's nor a gzip's", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		expect(refused(bench, () => update.write(Uint8Array.of(0x00)))).toBe("ERROR[10]: Magic byte is not 0xE9");
	});

	test("a gzip whose second byte is wrong", () => {
		const bench = new UpdaterBench();
		const image = gzipSync(NEW);
		image[1] = 0;
		const open = bench.open(image);
		expect(refused(bench, () => open.write(image))).toBe("ERROR[10]: Magic byte is not 0xE9");
	});

	test("an image for a larger flash", () => {
		const bench = new UpdaterBench();
		const image = NEW.slice();
		image[3] = 0x90;
		const update = bench.open(image);
		expect(refused(bench, () => update.write(image))).toBe(
			"ERROR[9]: new Flash config wrong, real size: 4194304",
		);
	});

	test.each([0x00, 0x20, 0x30, 0x70, 0xf0])("an image for another flash (byte 3: %i)", (byte3) => {
		const bench = new UpdaterBench();
		const image = NEW.slice();
		image[3] = byte3;
		const update = bench.open(image);
		expect(refused(bench, () => update.write(image))).toMatch(/^ERROR\[9\]/);
	});

	test("a gzip, where the boot loader does not inflate", () => {
		const bench = new UpdaterBench();
		bench.start(new RunningFirmware(), { gzip: false });
		const image = gzipSync(NEW);
		const update = bench.open(image);
		expect(refused(bench, () => update.write(image))).toMatch(/^ERROR\[102\].*gzip/);
	});

	test("a board whose running firmware cannot be told, where the staging is behind it", () => {
		const running = OLD.slice();
		running[3] = 0x20;
		const bench = new UpdaterBench({ size: 0x100000, running });
		bench.put(0x1000, new Uint8Array(4));
		expect(codeOf(() => bench.open(NEW))).toBe(ErrorCode.READ);
		expect(bench.flash.operations).toBe(0);
	});

	test("a boot loader sector on which the chip would hang", () => {
		const bench = new UpdaterBench();
		const image = NEW.slice();
		image[20] = (image[20] ?? 0) ^ 1;
		const update = bench.open(image);
		expect(refused(bench, () => update.write(image))).toBe(
			"ERROR[102]: Image damaged or not for this boot loader: boot loader checksum",
		);
	});
});

describe("an update that fails on its way leaves what runs:", () => {
	function fails(bench: UpdaterBench, operate: () => unknown): ErrorCode | undefined {
		const code = codeOf(operate);
		expect(bench.updater.busy).toBe(false);
		bench.restart();
		expect(bench.hasCommand).toBe(false);
		expect(bench.runs()).toBe("1.0.0");
		expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
		return code;
	}

	test("one byte more than announced", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		update.write(NEW);
		expect(fails(bench, () => update.write(Uint8Array.of(0)))).toBe(ErrorCode.SPACE);
	});

	test("one byte less than announced", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		update.write(NEW.subarray(0, -1));
		expect(fails(bench, () => update.complete())).toBe(ErrorCode.INCOMPLETE);
	});

	test("nothing at all", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		expect(fails(bench, () => update.complete())).toBe(ErrorCode.NO_DATA);
	});

	test("another MD5", () => {
		const bench = new UpdaterBench();
		const other = md5(OLD);
		const update = () => bench.update(NEW, { md5: other });
		expect(update).toThrow(`MD5 verification failed: expected: ${other}, calculated: ${md5(NEW)}`);
		expect(fails(bench, update)).toBe(ErrorCode.MD5);
	});

	test("an application cut short, though the MD5 is right", () => {
		const bench = new UpdaterBench();
		expect(fails(bench, () => bench.update(NEW.subarray(0, 20_000)))).toBe(ErrorCode.IMAGE);
	});

	test("no application behind the boot loader", () => {
		const bench = new UpdaterBench();
		const image = NEW.slice();
		image[4096] = 0xea;
		expect(fails(bench, () => bench.update(image))).toBe(ErrorCode.IMAGE);
	});

	test("a gzip that inflates to more than the application's place", () => {
		const bench = new UpdaterBench();
		const bomb = gzipSync(new Uint8Array(0x100001));
		expect(fails(bench, () => bench.update(bomb))).toBe(ErrorCode.SPACE);
	});

	test.each([
		["of a text", gzipSync("hello world")],
		[
			"with a signature behind it",
			Buffer.concat([gzipSync(NEW), new Uint8Array(256), Uint8Array.of(0, 1, 0, 0)]),
		],
		["whose last member is small", Buffer.concat([gzipSync(NEW), gzipSync("end")])],
		["that would inflate more than deflate can", impossible()],
	])("a gzip %s", (_what, image) => {
		const bench = new UpdaterBench();
		expect(fails(bench, () => bench.update(image))).toBe(ErrorCode.IMAGE);
	});

	test("a gzip that would be overwritten while it is inflated", () => {
		const running = firmware("1.0.0", 200_000);
		running[3] = 0x20;
		const bench = new UpdaterBench({ size: 0x100000, running });
		const large = firmware("2.0.0", 800_000);
		large.fill(0, 10_000, 600_000);
		const update = () => bench.update(gzipSync(large), { byteLength: undefined }, 65536);
		expect(codeOf(update)).toBe(ErrorCode.SPACE);
		bench.restart();
		expect(bench.hasCommand).toBe(false);
	});

	test("a gzip whose length makes the boot loader install nothing", () => {
		const bench = new UpdaterBench();
		const image = gzipSync(NEW);
		image[image.length - 1] = 0x80;
		expect(fails(bench, () => bench.update(image))).toBe(ErrorCode.IMAGE);
	});

	test("abandoned", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		update.write(NEW.subarray(0, 10_000));
		update.close();
		update.close();
		expect(fails(bench, () => update.write(NEW))).toBe(ErrorCode.CLOSED);
	});

	test("after one that was complete, whose staging it has used", () => {
		const bench = new UpdaterBench();
		bench.update(NEW);
		const update = bench.open(NEW);
		update.close();
		expect(fails(bench, () => update.complete())).toBe(ErrorCode.CLOSED);
	});

	test("and reports its error once", () => {
		const bench = new UpdaterBench();
		const told: string[] = [];
		const update = bench.open(NEW, { onError: (error) => told.push(String(error)) });
		expect(codeOf(() => update.write(Uint8Array.of(1)))).toBe(ErrorCode.MAGIC_BYTE);
		update.close();
		expect(told).toEqual(["ERROR[10]: Magic byte is not 0xE9"]);
	});
});

test("a filesystem update leaves a firmware that waits for the restart", () => {
	const bench = new UpdaterBench();
	bench.update(NEW);
	bench.open(NEW, { kind: "filesystem" }).close();
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});

test("a second update is refused while one runs, and harms nothing", () => {
	const bench = new UpdaterBench();
	const update = bench.open(NEW);
	update.write(NEW.subarray(0, 10_000));
	expect(codeOf(() => bench.open(OLD))).toBe(ErrorCode.RUNNING_ALREADY);
	update.write(NEW.subarray(10_000));
	update.complete();
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});

test("size and MD5 of the running firmware are read from flash", async () => {
	new UpdaterBench();
	const running = new RunningFirmware();
	await new Promise<void>((measured) => running.measure(measured));
	expect(running).toMatchObject({ size: OLD.length, version: "1.0.0", name: "bench", md5: md5(OLD) });
});

test("the running firmware's size leaves out a tail behind the image", () => {
	const tailed = new Uint8Array(OLD.length + 100).fill(0xff);
	tailed.set(OLD);
	new UpdaterBench({ running: tailed });
	expect(new RunningFirmware().size).toBe(OLD.length);
});

test("an erased flash has no running size", () => {
	new UpdaterBench({ running: new Uint8Array(8192).fill(0xff) });
	expect(new RunningFirmware()).toMatchObject({ size: 0, version: "", name: "" });
});
