/** The power goes at any flash operation of a download, those of its record too. */
import { describe, expect, test } from "vitest";
import type { FaultKind } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { md5, quickWaits } from "./client-bench";
import { RangeServer, ResumeBench, SECTOR, TAG } from "./resume-bench";
import { firmware, OLD } from "./updater-bench";

describe("a power cut", () => {
	const LENGTH = 14_000;
	const image = firmware("2.0.0", LENGTH);
	/** The update's, and the record's: an erase, its header, a bit a sector but the last, and its end. */
	const OPERATIONS = 4 + Math.ceil(LENGTH / 256) + 1 + 1 + 3 + 1;

	test("can come at so many flash operations", async () => {
		const bench = new ResumeBench();
		bench.soil();
		const server = await RangeServer.start({ image, tag: TAG });
		expect(await bench.short(server.url)).toBe("updated");
		expect(bench.flash.operations).toBe(OPERATIONS);
	});

	test.each<FaultKind>(["power before", "power during", "power after"])(
		"(%s) at every flash operation leaves the old firmware, and the next start gets the new one",
		async (kind) => {
			quickWaits();
			let resumed = 0;
			const bench = new ResumeBench();
			const server = await RangeServer.start({ image, tag: TAG });
			for (let at = 0; at < OPERATIONS; at++) {
				bench.renew();
				server.sent.length = 0;
				bench.flash.control.arm({ at: bench.flash.operations + at, kind });
				const outcome = await bench.short(server.url, bench.clientOf({ rebootOnSuccess: false }));
				expect(outcome).toMatch(at < OPERATIONS - 1 ? /^failed/ : /^updated$/);
				expect(bench.hasCommand).toBe(false);
				expect(bench.runs(at % 2 ? ResetCause.POWER : ResetCause.RESET)).toBe("1.0.0");
				expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
				expect(await bench.again(server.url)).toBe("updated");
				if (server.sent.at(-1)?.[0]) resumed += 1;
				bench.takes("2.0.0");
			}
			// From the second sector on, but where the cut falls into the record's own end.
			expect(resumed).toBeGreaterThan(OPERATIONS - 17 - 8);
		},
		60_000,
	);

	test("in the middle of what is taken up again is as good", async () => {
		quickWaits();
		const bench = new ResumeBench();
		const server = await RangeServer.start({ image, tag: TAG });
		for (const kind of ["power before", "power during", "power after"] as const) {
			for (let at = 0; at < 9; at++) {
				bench.renew();
				await bench.cut(server, 9000);
				bench.start();
				bench.flash.control.arm({ at: bench.flash.operations + 3 * at, kind });
				expect(await bench.short(server.url, bench.clientOf({ rebootOnSuccess: false }))).toMatch(/^failed/);
				expect(bench.runs(ResetCause.POWER)).toBe("1.0.0");
				expect(await bench.again(server.url)).toBe("updated");
				expect(server.sent.at(-1)?.[0]).toBeGreaterThanOrEqual(2 * SECTOR);
				bench.takes("2.0.0");
			}
		}
	});
});
