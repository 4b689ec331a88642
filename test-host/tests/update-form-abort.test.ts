/** An upload that ends at any byte, and a flash that fails at any operation: the board stays as it was. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import TCP from "../shims/tcp";
import { layoutFor } from "../virtual/layout";
import type { Fault } from "../virtual/nor";
import { FORM, FormBench, formBody, NEW, TICK } from "./form-bench";
import { until } from "./shim-bench";
import { firmware, md5, OLD } from "./updater-bench";

const HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\n";
const SUCCESS = "Update Success! Rebooting...";
const IMAGE = firmware("2.0.0", 9000);

/** Requests whose every byte may be the last, with the places that are tried. */
const form = formBody([
	["md5", md5(IMAGE)],
	["firmware", IMAGE],
	["filesystem", ""],
]);
const requests = [
	[
		"a form",
		Buffer.from(
			`POST /update ${HEAD}Content-Type: ${FORM["content-type"]}\r\nContent-Length: ${form.length}\r\n\r\n`,
		),
		form,
	],
	["a bare image", Buffer.from(`PUT /update ${HEAD}Content-Length: ${IMAGE.length}\r\n\r\n`), IMAGE],
	[
		"a form in chunks",
		Buffer.from(
			`POST /update ${HEAD}Content-Type: ${FORM["content-type"]}\r\nTransfer-Encoding: chunked\r\n\r\n`,
		),
		Buffer.concat([Buffer.from(`${form.length.toString(16)}\r\n`), form, Buffer.from("\r\n0\r\n\r\n")]),
	],
] as const;

/** Sends so many bytes of a request, and goes. */
async function abort(bench: FormBench, bytes: Uint8Array, count: number): Promise<void> {
	const { ended } = bench;
	const raw = await bench.raw();
	raw.socket.write(bytes.subarray(0, count));
	// In two of three cases the board reads what came before it sees the end.
	if (count % 3 > 0) await new Promise((wake) => setTimeout(wake, count % 3));
	if (count % 3 === 1) raw.socket.resetAndDestroy();
	else raw.socket.destroy();
	await until(() => bench.ended > ended);
	expect(bench.updater.busy).toBe(false);
	expect(bench.hasCommand).toBe(false);
	expect(bench.told).not.toContain("end firmware");
}

describe.each(requests)("an upload of %s that ends", (what, head, body) => {
	const request = Buffer.concat([head, body]);
	const image = request.indexOf(IMAGE);
	/** The form in chunks has the same parts: of its bytes every fifth will do. */
	const step = what === "a form in chunks" ? 5 : 1;

	async function leavesAll(positions: readonly number[]): Promise<void> {
		const bench = new FormBench({ rebootOnSuccess: false });
		for (const count of positions) await abort(bench, request, count);
		bench.restart();
		expect(bench.runs()).toBe("1.0.0");
		expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
		expect((await bench.ask("PUT", "/update", {}, NEW)).body).toBe(`${SUCCESS}\n`);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	}

	test("at any byte before the image leaves all as it was, and the next one succeeds", () =>
		leavesAll(Array.from({ length: image / step }, (_, i) => step * i)));

	test("at any byte behind the image, or near its end, does too", () => {
		const end = image + IMAGE.length;
		return leavesAll(Array.from({ length: request.length - end + 8 }, (_, i) => end - 8 + i));
	});

	test("at any byte of the image does too", () =>
		leavesAll(fc.sample(fc.integer({ min: image, max: image + IMAGE.length - 1 }), 40)));
});

test("an upload that was verified stays chosen when another one ends before its image", async () => {
	const bench = new FormBench({ rebootOnSuccess: false });
	expect((await bench.ask("PUT", "/update", {}, NEW)).status).toBe(200);
	const raw = await bench.raw();
	raw.socket.write(
		`POST /update ${HEAD}Content-Type: ${FORM["content-type"]}\r\nContent-Length: ${form.length}\r\n\r\n`,
	);
	raw.socket.write(form.subarray(0, Buffer.from(form).indexOf(IMAGE)));
	await expect.poll(() => bench.form.exchanges.size).toBe(1);
	raw.socket.destroy();
	await expect.poll(() => bench.form.exchanges.size).toBe(0);
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});

test("the application is told of an update that lost its client, and so is GET /status", async () => {
	const bench = new FormBench();
	(await bench.updating()).socket.destroy();
	await expect.poll(() => bench.told).toHaveLength(2);
	const text = "Connection lost after 5000 of 30000 bytes, send it again";
	expect(bench.told).toEqual(["start firmware", `error: ERROR[104]: ${text}`]);
	expect(JSON.parse((await bench.ask("GET", "/status")).body).update).toMatchObject({
		result: "failed",
		error: { code: 104, text },
		bytes: 5000,
	});
});

describe.each(["fail", "torn", "ignored"] as const)(
	"a flash operation that goes wrong (%s)",
	(kind: Fault["kind"]) => {
		/** Three sectors: an erase each, and a program a page. */
		const OPERATIONS = 3 + Math.ceil(IMAGE.length / 256);

		/** Where the staging begins: of an unknown length at the start of its place, of a known one at the end. */
		const place = layoutFor(0x400000).get("nextota") ?? { offset: 0, size: 0 };
		const last = place.offset + place.size - 0x3000;

		test.each(["POST", "PUT"])("during a %s is told, and the next one succeeds", async (method) => {
			const bench = new FormBench({ rebootOnSuccess: false });
			const body = method === "POST" ? formBody([["firmware", IMAGE]]) : IMAGE;
			for (let at = 0; at < OPERATIONS; at++) {
				// What was not erased is seen only where something else lay there.
				bench.put(place.offset, new Uint8Array(0x3000));
				bench.put(last, new Uint8Array(0x3000));
				bench.flash.control.arm({ at: bench.flash.operations + at, kind });
				const { status, body: text } = await bench.ask(method, "/update", FORM, body);
				expect(status).toBe(method === "POST" ? 200 : 422);
				expect(text).toMatch(/ERROR\[(1|2)\]: Flash (Write|Erase) Failed/);
				bench.flash.control.disarm();
				expect(bench.hasCommand).toBe(false);
				expect(bench.updater.busy).toBe(false);
			}
			bench.restart();
			expect(bench.runs()).toBe("1.0.0");
			expect((await bench.ask(method, "/update", FORM, body)).body).toContain(SUCCESS);
			bench.restart();
			expect(bench.runs()).toBe("2.0.0");
		});
	},
);

describe("a power cut", () => {
	test("at any flash operation of an upload leaves the old firmware", async () => {
		for (const kind of ["power before", "power during", "power after"] as const) {
			for (let at = 0; at < 38; at += 5) {
				const bench = new FormBench();
				bench.flash.control.arm({ at: bench.flash.operations + at, kind });
				await bench.ask("POST", "/update", FORM, formBody([["firmware", IMAGE]]));
				expect(bench.hasCommand).toBe(false);
				expect(bench.runs()).toBe("1.0.0");
				expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
			}
		}
	});
});

describe("whatever comes, and whenever it ends,", () => {
	const escaped: unknown[] = [];
	const note = (error: unknown) => void escaped.push(error);
	beforeAll(() => void process.on("uncaughtException", note));
	afterAll(() => void process.off("uncaughtException", note));

	const piece = fc.oneof(
		fc.constantFrom(
			`PUT /update ${HEAD}`,
			`POST /update ${HEAD}`,
			`GET / ${HEAD}`,
			"Content-Length: 30\r\n",
			"Transfer-Encoding: chunked\r\n",
			"Expect: 100-continue\r\n",
			`Content-Type: ${FORM["content-type"]}\r\n`,
			"\r\n",
			"\r\n\r\n",
			"5\r\nhello\r\n",
			"0\r\n\r\n",
			"-1\r\n",
			"x\r\n",
			Buffer.from(form.subarray(0, 300)).toString(),
			Buffer.from(form.subarray(-80)).toString(),
			"\xe9".repeat(600),
		),
		fc.string({ unit: "binary", maxLength: 20 }),
	);

	test("a body in chunks that is reset behind its head is read no more", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const reads = readsOfGone();
		for (let wait = 0; wait < 40; wait++) {
			const raw = await bench.raw();
			const { ended } = bench;
			raw.socket.write(
				`PUT /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n\xe9hell\r\n5\r\n`,
				"latin1",
			);
			for (let turns = 0; turns < wait; turns++) await new Promise(setImmediate);
			raw.socket.resetAndDestroy();
			await until(() => bench.ended > ended);
		}
		expect(reads()).toBe(0);
	});

	test("no exception escapes, with which the application would end, and no connection is read that has gone", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const reads = readsOfGone();
		await fc.assert(
			fc.asyncProperty(fc.array(piece, { maxLength: 10 }), fc.boolean(), async (pieces, atOnce) => {
				const raw = await bench.raw();
				if (atOnce) raw.socket.write(pieces.join(""), "latin1");
				else {
					for (const one of pieces) {
						raw.socket.write(one, "latin1");
						await new Promise(setImmediate);
					}
				}
				await new Promise((wake) => setTimeout(wake, pieces.length % 4));
				raw.socket.resetAndDestroy();
			}),
			{ numRuns: 300 },
		);
		await expect.poll(() => bench.form.exchanges.size, { timeout: 10 * TICK }).toBe(0);
		expect(escaped).toEqual([]);
		expect(reads()).toBe(0);
		expect((await bench.ask("PUT", "/update", {}, NEW)).status).toBe(200);
	});
});

/** Counts from now on the reads of connections that have gone: on the chip each is a crash. */
function readsOfGone(): () => number {
	let count = 0;
	const original = TCP.prototype.read;
	vi.spyOn(TCP.prototype, "read").mockImplementation(function (this: TCP, ...wanted) {
		if (hasGone(this)) count += 1;
		return original.apply(this, wanted);
	});
	onTestFinished(() => void vi.restoreAllMocks());
	return () => count;
}

/** Whether the peer has reset or closed the connection: a write tells, of whatever. */
function hasGone(tcp: TCP): boolean {
	try {
		return tcp.write(tcp.format === "number" ? [] : new Uint8Array(0)) === undefined;
	} catch (error) {
		return !(error instanceof TypeError);
	}
}
