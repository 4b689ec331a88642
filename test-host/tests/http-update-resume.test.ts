/** A download that breaks, at any byte and any flash operation, is taken up again, or starts over. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Chip } from "../virtual/chip";
import { md5, NEW, quickWaits } from "./client-bench";
import { RangeServer, ResumeBench, SECTOR, type Serving, TAG } from "./resume-bench";
import { firmware } from "./updater-bench";

const OTHER = firmware("3.0.0", NEW.length);

describe("a connection that breaks", () => {
	test("at any byte is taken up again at the last whole sector, and nothing before that is sent again", async () => {
		quickWaits();
		let sent = 0;
		const positions = [1, 1023, 1024, 4095, 4096, 4097, 8191, 8192, 12_289, 20_000, 28_671, 28_672, 29_999];
		for (const at of positions) {
			const bench = new ResumeBench();
			const server = await RangeServer.start({ image: NEW, tag: TAG, cuts: [at] });
			expect(await bench.short(server.url)).toBe("updated");
			const kept = Math.floor(at / SECTOR) * SECTOR;
			expect(server.sent).toEqual([
				[0, at],
				[kept, NEW.length - kept],
			]);
			sent += at + NEW.length - kept;
			bench.takes("2.0.0");
			expect(bench.told).toEqual(["start firmware", "end firmware"]);
		}
		// Less than a sector each.
		expect(sent - positions.length * NEW.length).toBeLessThan(positions.length * SECTOR);
	});

	test("again and again, as long as sectors come, is taken up again and again", async () => {
		quickWaits();
		const bench = new ResumeBench();
		const server = await RangeServer.start({
			image: NEW,
			tag: TAG,
			cuts: [5000, 5000, 5000, 5000, 5000, 5000],
		});
		expect(await bench.short(server.url)).toBe("updated");
		expect(server.sent.map(([start]) => start)).toEqual([0, 4096, 8192, 12_288, 16_384, 20_480, 24_576]);
		bench.takes("2.0.0");
	});

	test("five times without a sector is left for the next check, which takes it up", async () => {
		quickWaits();
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, tag: TAG, cuts: [9000, 0, 1, 0, 4095, 0] });
		expect(await bench.short(server.url)).toBe("failed -5");
		server.sent.length = 0;
		expect(bench.told.filter((told) => told.startsWith("error"))).toHaveLength(1);
		expect(await bench.short(server.url)).toBe("updated");
		expect(server.sent).toEqual([[8192, NEW.length - 8192]]);
		bench.takes("2.0.0");
	});

	test("without an ETag and an MD5 ends the update", async () => {
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, digest: false, cuts: [9000] });
		expect(await bench.short(server.url)).toBe("failed -5");
		expect(server.sent).toHaveLength(1);
	});

	test("while another update begins is not taken up", async () => {
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, tag: TAG, cuts: [9000] });
		const outcome = bench.short(server.url);
		await expect.poll(() => bench.updater.last?.result).toBe("failed");
		bench.open(OTHER);
		expect(await outcome).toBe("failed 15");
		expect(server.sent).toHaveLength(1);
	});
});

describe("an image of any sort is taken up", () => {
	test.each<[string, Uint8Array, Partial<Chip>]>([
		["with a flash mode of another board", withMode(NEW, 2), {}],
		["as a gzip", gzipSync(withNoise(NEW)), {}],
		["of whole sectors", firmware("2.0.0", 5 * SECTOR), {}],
	])("%s", async (_what, image, chip) => {
		quickWaits();
		const bench = new ResumeBench({}, chip);
		const server = await RangeServer.start({ image, tag: TAG });
		const at = Math.min(image.length - 10, 13_000);
		await bench.cut(server, at);
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent[0]?.[0]).toBe(Math.floor(at / SECTOR) * SECTOR);
		bench.takes("2.0.0");
	});

	test("whose segments end anywhere, not where a sector does", async () => {
		quickWaits();
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, tag: TAG, ahead: 541 });
		await bench.cut(server, 13_000);
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent[0]?.[0]).toBe(3 * SECTOR);
		bench.takes("2.0.0");
	});

	test.each([
		["an ETag only", { tag: TAG, digest: false }],
		["an MD5 only", {}],
		["an ETag of 80 characters", { tag: `"${"x".repeat(78)}"`, digest: false }],
	])("by %s", async (_what, how) => {
		quickWaits();
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, ...how });
		await bench.cut(server, 9000);
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.ranges.at(-1)).toBe("bytes=8192-");
		bench.takes("2.0.0");
	});

	test.each([
		["a weak ETag", 'W/"v2"'],
		["an ETag that is too long", `"${"x".repeat(79)}"`],
	])("not by %s", async (_what, tag) => {
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, tag, digest: false, cuts: [9000] });
		expect(await bench.short(server.url)).toBe("failed -5");
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.ranges).toEqual([undefined, undefined]);
	});

	test("a filesystem, of less than a sector too", async () => {
		quickWaits();
		for (const length of [100, 10_000]) {
			const files = new Uint8Array(length).fill(7);
			const bench = new ResumeBench();
			const server = await RangeServer.start({ image: files, tag: TAG, cuts: [length - 50] });
			const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
			expect(outcome).toEqual({ result: "updated" });
			expect(server.sent.at(-1)?.[0]).toBe(length > SECTOR ? 8192 : 0);
			expect(md5(bench.get(0x200000, length))).toBe(md5(files));
		}
	});

	test("a filesystem that is staged", async () => {
		quickWaits();
		const files = new Uint8Array(10_000).fill(7);
		const bench = new ResumeBench({}, { atomicFilesystem: true });
		const server = await RangeServer.start({ image: files, tag: TAG, cuts: [9000] });
		const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
		expect(outcome).toEqual({ result: "updated" });
		expect(server.sent.at(-1)?.[0]).toBe(8192);
		bench.restart();
		bench.runs();
		expect(md5(bench.get(0x200000, files.length))).toBe(md5(files));
	});

	test("not one that leaves no room for the record", async () => {
		const bench = new ResumeBench();
		const image = firmware("2.0.0", bench.updater.freeSpace("firmware") - SECTOR + 1);
		const server = await RangeServer.start({ image, tag: TAG, cuts: [9000] });
		expect(await bench.short(server.url)).toBe("failed -5");
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.ranges).toEqual([undefined, undefined]);
		bench.takes("2.0.0");
	});

	test("one that leaves just enough", async () => {
		quickWaits();
		const bench = new ResumeBench();
		const image = firmware("2.0.0", bench.updater.freeSpace("firmware") - SECTOR);
		const server = await RangeServer.start({ image, tag: TAG, cuts: [9000] });
		expect(await bench.short(server.url)).toBe("updated");
		expect(server.ranges).toEqual([undefined, "bytes=8192-"]);
		bench.takes("2.0.0");
	});
});

describe("a download starts over where", () => {
	const prepared = async (more: Partial<Serving> = {}) => {
		quickWaits();
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image: NEW, tag: TAG });
		await bench.cut(server, 9000);
		Object.assign(server.serving, more);
		return { bench, server };
	};

	test("the server has another image, by its ETag", async () => {
		const { bench, server } = await prepared();
		Object.assign(server.serving, { image: OTHER, tag: '"v3"' });
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent).toEqual([[0, OTHER.length]]);
		bench.takes("3.0.0");
	});

	test("the server knows no ranges", async () => {
		const { bench, server } = await prepared({ whole: true });
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent).toEqual([[0, NEW.length]]);
		bench.takes("2.0.0");
	});

	test("another address is asked", async () => {
		const { bench, server } = await prepared();
		expect(await bench.again(`${server.url}?x`)).toBe("updated");
		expect(server.ranges.at(-1)).toBeUndefined();
	});

	test("another MD5 must be than when it began", async () => {
		const { bench, server } = await prepared();
		expect(await bench.again(server.url, { md5: md5(OTHER) })).toBe("failed 7");
		expect(server.ranges.at(-1)).toBeUndefined();
	});

	test("another update has been between, whatever became of it", async () => {
		const { bench, server } = await prepared();
		const other = bench.open(OTHER);
		other.write(OTHER.subarray(0, 5000));
		other.close();
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent).toEqual([[0, NEW.length]]);
		bench.takes("2.0.0");
	});

	test("another update comes while the server answers, and leaves that one alone", async () => {
		const { bench, server } = await prepared();
		server.serving.range = () => {
			bench.open(OTHER).close();
			return 206;
		};
		expect(await bench.again(server.url)).toBe("postponed 15");
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent.at(-1)).toEqual([0, NEW.length]);
	});

	test.each<[string, (headers: Record<string, string | number>, start: number) => number]>([
		["another part than asked for", (headers, start) => set(headers, `bytes ${start - 1}-29999/30000`)],
		["a part without its place", (headers) => set(headers, undefined)],
		["a part that ends early", (headers, start) => set(headers, `bytes ${start}-29998/30000`)],
		["a part of a larger image", (headers, start) => set(headers, `bytes ${start}-29999/30001`)],
		["a part of an image of any size", (headers, start) => set(headers, `bytes ${start}-29999/*`)],
		["a part of another image, by its ETag", (headers) => set({ ...headers }, undefined, headers, '"v3"')],
	])("the server sends %s, which is refused first", async (_what, range) => {
		const { bench, server } = await prepared({ range });
		expect(await bench.again(server.url)).toBe("failed 111");
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent.at(-1)).toEqual([0, NEW.length]);
		bench.takes("2.0.0");
	});

	test("the server says that it has no such part", async () => {
		const { bench, server } = await prepared({ range: () => 416 });
		expect(await bench.again(server.url)).toBe("failed -104");
		expect(await bench.again(server.url)).toBe("updated");
		expect(server.sent.at(-1)).toEqual([0, NEW.length]);
	});

	test("what is staged is not what came, and is refused first", async () => {
		const { bench, server } = await prepared();
		bench.put(0x200000 - 32_768 + SECTOR, new Uint8Array(SECTOR).fill(1));
		expect(await bench.again(server.url)).toMatch(/^failed (7|102)$/);
		expect(await bench.again(server.url)).toBe("updated");
		bench.takes("2.0.0");
	});
});

function set(
	changed: Record<string, string | number>,
	place: string | undefined,
	headers = changed,
	tag?: string,
): number {
	if (tag) headers.etag = tag;
	else if (place === undefined) delete headers["content-range"];
	else headers["content-range"] = place;
	return 206;
}

/** With another flash mode in its header than the board's. */
function withMode(image: Uint8Array, mode: number): Uint8Array {
	const copy = image.slice();
	copy[2] = mode;
	return copy;
}

/** Which takes a gzip some sectors. */
function withNoise(image: Uint8Array): Uint8Array {
	let seed = 1;
	return image.map((byte, i) => {
		seed = Math.imul(seed, 1_103_515_245) + 12_345;
		return i > 9000 && i < 28_000 ? (seed >>> 16) & 255 : byte;
	});
}
