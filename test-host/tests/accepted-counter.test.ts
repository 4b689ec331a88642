/** The highest version counter that was accepted: kept over restarts and power cuts, and no lower one is taken. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import type { UpdateKind } from "../../ota/kind";
import { acceptCounter, acceptedCounter } from "../../ota/signature/accepted-counter";
import { Signatures, type SignaturesOptions } from "../../ota/signature/signatures";
import { withClaims } from "../../tools/image/claims";
import keyValue from "../shims/key-value";
import { ResetCause } from "../virtual/outcome";
import { signedBy, textOf } from "./signature-bench";
import { ecPair, temporaryFolder } from "./signing-bench";
import { codeOf, firmware, UpdaterBench, type UpdaterBenchOptions } from "./updater-bench";

const { VERSION_COUNTER, SIGN, WRITE, READ, SPACE } = ErrorCode;
const PREFERENCES = 0x100000;
const pair = ecPair(temporaryFolder(), "p256");
const NEW = firmware("2.0.0", 10_000);
const FILES = new Uint8Array(6000).fill(7);

function benchOf(demands: Partial<SignaturesOptions> = {}, chip: UpdaterBenchOptions = {}): UpdaterBench {
	return new UpdaterBench({ ...chip, signatures: () => new Signatures({ keys: textOf(pair), ...demands }) });
}

const images = new Map<string, Uint8Array>();

/** Signed, with that counter or none. */
function image(versionCounter?: number, payload: Uint8Array = NEW): Uint8Array {
	const key = `${versionCounter} ${payload.length} ${payload[0]}`;
	const made =
		images.get(key) ??
		signedBy(pair, versionCounter === undefined ? payload : withClaims(payload, { versionCounter }));
	images.set(key, made);
	return made;
}

function take(bench: UpdaterBench, counter?: number, kind: UpdateKind = "firmware"): ErrorCode | undefined {
	return codeOf(() => bench.update(image(counter, kind === "firmware" ? NEW : FILES), { kind }));
}

test("none is kept at first, and an image without one is taken", () => {
	const bench = benchOf();
	expect(acceptedCounter("firmware")).toBeUndefined();
	expect(take(bench)).toBeUndefined();
	expect(acceptedCounter("firmware")).toBeUndefined();
});

test("an older image is refused with both numbers, the same and a newer one are taken", () => {
	const bench = benchOf();
	const counters: [number | undefined, ErrorCode | undefined][] = [
		[0, undefined],
		[5, undefined],
		[4, VERSION_COUNTER],
		[undefined, VERSION_COUNTER],
		[5, undefined],
		[0xffffffff, undefined],
		[0xfffffffe, VERSION_COUNTER],
		[0xffffffff, undefined],
	];
	for (const [counter, code] of counters) expect([counter, take(bench, counter)]).toEqual([counter, code]);
	take(bench, 4);
	expect(bench.updater.last?.error?.text).toBe(
		"The image's version counter is 4, this board takes 4294967295 and above: send a newer one",
	);
});

test("it is kept over a restart and a power cut", () => {
	const bench = benchOf();
	take(bench, 9);
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
	bench.runs(ResetCause.POWER);
	bench.start();
	expect(take(bench, 8)).toBe(VERSION_COUNTER);
	expect(acceptedCounter("firmware")).toBe(9);
});

test("firmware and filesystem have one each", () => {
	const bench = benchOf();
	expect(take(bench, 9, "filesystem")).toBeUndefined();
	expect(take(bench, 3)).toBeUndefined();
	expect(take(bench, 8, "filesystem")).toBe(VERSION_COUNTER);
	expect(take(bench, 2)).toBe(VERSION_COUNTER);
	expect([acceptedCounter("firmware"), acceptedCounter("filesystem")]).toEqual([3, 9]);
});

test("of the kept one and the configured minimum the higher one counts", () => {
	const bench = benchOf({ minVersionCounter: 5 });
	expect(take(bench, 4)).toBe(VERSION_COUNTER);
	expect(take(bench, 7)).toBeUndefined();
	expect(take(bench, 6)).toBe(VERSION_COUNTER);
	const stricter = benchOf({ minVersionCounter: 8 });
	acceptCounter("firmware", 7);
	expect(take(stricter, 7)).toBe(VERSION_COUNTER);
	expect(take(stricter, 8)).toBeUndefined();
	const none = benchOf({ minVersionCounter: 0 });
	expect(take(none)).toBe(VERSION_COUNTER);
});

test("what is refused leaves what was kept: forged, without room, not whole", () => {
	const bench = benchOf({}, { atomicFilesystem: true });
	take(bench, 3);
	const forged = image(9).slice();
	forged[5000] = (forged[5000] ?? 0) ^ 1;
	expect(codeOf(() => bench.update(forged))).toBe(SIGN);
	const large = image(9, gzipSync(new Uint8Array(0x1fa001)));
	expect(codeOf(() => bench.update(large, { kind: "filesystem" }))).toBe(SPACE);
	bench.open(image(9)).close();
	expect([acceptedCounter("firmware"), acceptedCounter("filesystem")]).toEqual([3, undefined]);
});

test("it goes up any number of times", () => {
	const bench = benchOf();
	for (let counter = 1; counter < 400; counter += 3) {
		for (const kind of ["firmware", "filesystem"] as const) {
			acceptCounter(kind, counter);
			expect(acceptedCounter(kind)).toBe(counter);
		}
	}
	expect(bench.flash.operations).toBeGreaterThan(400);
});

test("without a key a counter says nothing", () => {
	const bench = new UpdaterBench();
	bench.update(withClaims(NEW, { versionCounter: 9 }));
	expect(acceptedCounter("firmware")).toBeUndefined();
});

test("the same counter is not written again", () => {
	const bench = benchOf();
	acceptCounter("firmware", 4);
	const { operations } = bench.flash;
	acceptCounter("firmware", 4);
	acceptCounter("firmware", 3);
	expect(bench.flash.operations).toBe(operations);
});

test("a counter that cannot be kept makes the update fail, and the old firmware runs on", () => {
	for (const kind of ["fail", "ignored"] as const) {
		const bench = benchOf();
		acceptCounter("firmware", 1);
		const update = bench.open(image(2));
		update.write(image(2));
		bench.flash.control.arm({ at: bench.flash.operations, kind, repeat: true });
		expect(codeOf(() => update.complete())).toBe(WRITE);
		bench.flash.control.disarm();
		bench.restart();
		expect(bench.hasCommand).toBe(false);
		expect(bench.runs()).toBe("1.0.0");
		expect(acceptedCounter("firmware")).toBe(1);
	}
});

test("preferences that cannot be read let nothing in", () => {
	const bench = benchOf();
	const update = bench.open(image(2));
	update.write(image(2));
	bench.flash.control.arm({ at: bench.flash.operations, kind: "fail", repeat: true });
	// They were never used, and are made anew with the first read.
	expect(codeOf(() => update.complete())).toBe(READ);
});

describe.each(["power before", "power during", "power after"] as const)("a power cut (%s)", (kind) => {
	test("at every flash operation that keeps a counter leaves the old one or the new one", () => {
		for (const count of [1, 2, 15]) {
			for (let at = 0; ; at++) {
				const bench = benchOf();
				for (let counter = 1; counter <= count; counter++) acceptCounter("firmware", 10 * counter);
				const start = bench.flash.operations;
				bench.flash.control.arm({ at: start + at, kind });
				codeOf(() => acceptCounter("firmware", 99));
				const isOver = bench.flash.control.powered;
				bench.flash.control.powerOn();
				bench.flash.control.disarm();
				expect([10 * count, 99]).toContain(acceptedCounter("firmware"));
				if (isOver) break;
			}
		}
	});
});

test("a damaged entry counts as none, and the other one is left", () => {
	const bench = benchOf();
	acceptCounter("firmware", 3);
	acceptCounter("firmware", 4);
	for (const bit of [0, 31, 32, 63]) {
		const entry = new Uint8Array(8);
		const store = keyValue.open({ path: "ota8266" });
		const written = new Uint8Array(store.read("firmware1") ?? new ArrayBuffer(0));
		expect(written.length).toBe(8);
		entry.set(written);
		entry[bit >> 3] = (entry[bit >> 3] ?? 0) ^ (1 << (bit & 7));
		store.write("firmware1", entry);
		expect(acceptedCounter("firmware")).toBe(3);
		store.write("firmware1", written);
		expect(acceptedCounter("firmware")).toBe(4);
	}
	const store = keyValue.open({ path: "ota8266" });
	store.write("firmware1", new Uint8Array(9));
	expect(acceptedCounter("firmware")).toBe(3);
	expect(bench.get(PREFERENCES, 4)).toEqual(Uint8Array.of(0x41, 0x31, 0x21, 0x81));
});

test("is the block that SPEC.md shows", () => {
	benchOf();
	acceptCounter("firmware", 7);
	const store = keyValue.open({ path: "ota8266", mode: "r" });
	expect(Buffer.from(store.read("firmware0") ?? new ArrayBuffer(0)).toString("hex")).toBe("07000000102386db");
});
