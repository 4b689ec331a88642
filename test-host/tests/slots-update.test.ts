import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { OtaState } from "../../ota/slots/otadata-record";
import { OTA_0, OTA_1, OTADATA, SlotsBench, slotImage } from "./slots-bench";
import { codeOf, md5 } from "./updater-bench";

const NEW = slotImage("2.0.0", 30_000);
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe.each([
	["that knows trials", true],
	["that knows none", false],
])("with a boot loader %s", (_name, trials) => {
	test("an update goes into the other slot, and runs after the restart", () => {
		const bench = new SlotsBench({ trials });
		expect(bench.start()).toBe("1.0.0");
		bench.update(NEW);
		expect(same(bench.get(OTA_1, NEW.length), NEW)).toBe(true);
		expect(bench.start()).toBe("2.0.0");
		expect(bench.updater.onTrial).toBe(true);
	});

	test("a confirmed one stays, over every restart, and the next one goes into the first slot", () => {
		const bench = new SlotsBench({ trials });
		bench.start();
		bench.update(NEW);
		bench.start();
		bench.updater.confirm();
		expect(bench.updater.onTrial).toBe(false);
		for (let i = 0; i < 3; i++) expect(bench.start()).toBe("2.0.0");
		const next = slotImage("3.0.0", 40_000);
		bench.update(next);
		expect(same(bench.get(OTA_0, next.length), next)).toBe(true);
		expect(bench.start()).toBe("3.0.0");
	});

	test("one that is not confirmed until the next boot is left for the one before", () => {
		const bench = new SlotsBench({ trials });
		bench.start();
		bench.update(NEW);
		expect(bench.start()).toBe("2.0.0");
		expect(bench.start()).toBe("1.0.0");
		expect(bench.updater.onTrial).toBe(false);
		expect(bench.start()).toBe("1.0.0");
		expect(bench.updater.refuses({ md5: md5(NEW), version: "", tag: "" })).toBe(true);
		expect(bench.updater.refuses({ md5: md5(OTHER), version: "2.0.0", tag: "" })).toBe(false);
	});

	test("a rollback by hand goes back, on trial or long after, and the image is refused", () => {
		for (const confirmed of [false, true]) {
			const bench = new SlotsBench({ trials });
			bench.start();
			bench.update(NEW);
			bench.start();
			if (confirmed) {
				bench.updater.confirm();
				bench.start();
			}
			bench.rollback();
			expect(bench.start()).toBe("1.0.0");
			expect(bench.updater.refuses({ md5: md5(NEW), version: "", tag: "" })).toBe(true);
		}
	});

	test("while one is on trial no other is taken: it would be written over the way back", () => {
		const bench = new SlotsBench({ trials });
		bench.start();
		bench.update(NEW);
		bench.start();
		expect(codeOf(() => bench.update(OTHER))).toBe(ErrorCode.ON_TRIAL);
		bench.updater.confirm();
		expect(codeOf(() => bench.update(OTHER))).toBeUndefined();
	});
});

const OTHER = slotImage("2.0.0", 31_000);

test("an update that is opened takes back the choice before it", () => {
	const bench = new SlotsBench();
	bench.start();
	bench.update(NEW);
	bench.open(OTHER).close();
	expect(bench.records).toEqual([undefined, undefined]);
	expect(bench.start()).toBe("1.0.0");
});

test("the choice alternates between the two sectors, each record with the next sequence of its slot", () => {
	const bench = new SlotsBench();
	bench.start();
	const sequences: string[] = [];
	for (let i = 2; i < 6; i++) {
		bench.update(slotImage(`${i}.0.0`, 20_000));
		bench.start();
		bench.updater.confirm();
		sequences.push(bench.records.map((record) => record?.sequence ?? "-").join(" "));
	}
	expect(sequences).toEqual(["2 -", "2 3", "4 3", "4 5"]);
	expect(bench.records.map((record) => record?.state)).toEqual([OtaState.VALID, OtaState.VALID]);
	expect(bench.get(OTADATA + 28, 4)).not.toEqual(new Uint8Array(4).fill(0xff));
});
