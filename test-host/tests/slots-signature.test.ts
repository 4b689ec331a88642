/** What is signed, claimed or taken up again goes into a slot as it goes anywhere. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import { beginResume, isResumable, markResume, type Resumable, readResume } from "../../ota/resume";
import { Signatures, type SignaturesOptions } from "../../ota/signature/signatures";
import { withClaims } from "../../tools/image/claims";
import { signedBy, textOf } from "./signature-bench";
import { ecPair, rsaPair, temporaryFolder } from "./signing-bench";
import { OTA_1, SlotsBench, slotImage } from "./slots-bench";
import { codeOf, md5 } from "./updater-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");
const other = rsaPair(folder, "other");
const NEW = slotImage("2.0.0", 30_000);

function started(options: Partial<SignaturesOptions> = {}): SlotsBench {
	const bench = new SlotsBench({ signatures: () => new Signatures({ keys: textOf(rsa), ...options }) });
	bench.start();
	return bench;
}

describe("a signed image for a slot", () => {
	test.each([
		["RSA", rsa],
		["P-256", p256],
	])("by %s boots, with its signature behind it", (_name, pair) => {
		const bench = started({ keys: textOf(pair) });
		const signed = signedBy(pair, NEW);
		bench.update(signed);
		expect(Buffer.compare(bench.get(OTA_1, signed.length), signed)).toBe(0);
		expect(bench.start()).toBe("2.0.0");
		bench.rollback();
		bench.start();
		// A server tells the MD5 of the file, signature and all.
		expect(bench.updater.refuses({ md5: md5(signed), version: "", tag: "" })).toBe(true);
	});

	test.each([
		["by another key", () => signedBy(other, NEW)],
		["by nobody", () => NEW],
		["with another byte in it", () => signedBy(rsa, NEW).with(-300, 0x77)],
	])("%s is refused, and nothing is chosen", (_name, image) => {
		const bench = started();
		expect([ErrorCode.SIGN, ErrorCode.IMAGE]).toContain(codeOf(() => bench.update(image())));
		expect(bench.records).toEqual([undefined, undefined]);
		expect(bench.start()).toBe("1.0.0");
	});

	test("that claims to be for another board is refused, for this one it boots", () => {
		const claimed = (board: string) => signedBy(rsa, Uint8Array.from(withClaims(NEW, { board })));
		const bench = started({ board: "lamp" });
		expect(codeOf(() => bench.update(claimed("pump")))).toBe(ErrorCode.OTHER_BOARD);
		bench.update(claimed("lamp"));
		expect(bench.start()).toBe("2.0.0");
	});
});

describe("a download into a slot", () => {
	const what: Resumable = {
		kind: "firmware",
		byteLength: 30_000,
		md5: md5(NEW),
		source: "http://a/b",
		tag: "",
	};
	const LAST = 0xf0000 / SECTOR - 1;

	test("is noted in the slot's last sector, apart from its image", () => {
		const bench = new SlotsBench();
		bench.start();
		const { recordSector } = bench.updater;
		expect(recordSector).toBe(LAST);
		beginResume(what, recordSector);
		markResume(1, undefined, recordSector);
		expect(readResume(what.source, "firmware", recordSector)?.staged.byteLength).toBe(SECTOR);
		expect(bench.get(OTA_1 + LAST * SECTOR, 4)).toEqual(new TextEncoder().encode("OTAR"));
	});

	test("goes on from what is staged, over a restart", () => {
		const bench = new SlotsBench();
		bench.start();
		const first = bench.open(NEW);
		beginResume(what, bench.updater.recordSector);
		first.write(NEW.subarray(0, 2 * SECTOR));
		for (const count of [1, 2]) markResume(count, undefined, bench.updater.recordSector);
		expect(bench.start()).toBe("1.0.0");
		const staged = readResume(what.source, "firmware", bench.updater.recordSector)?.staged;
		expect(staged?.byteLength).toBe(2 * SECTOR);
		const update = bench.open(NEW, { staged });
		while (update.restore());
		update.write(NEW.subarray(2 * SECTOR));
		update.complete();
		expect(bench.start()).toBe("2.0.0");
	});

	test("another update makes its note void", () => {
		const bench = new SlotsBench();
		bench.start();
		beginResume(what, LAST);
		markResume(1, undefined, LAST);
		bench.open(NEW).close();
		expect(readResume(what.source, "firmware", LAST)).toBeUndefined();
	});

	test("that fills the slot but for its last sector has room for the note, a byte more has not", () => {
		const bench = new SlotsBench();
		bench.start();
		expect(isResumable({ ...what, byteLength: LAST * SECTOR }, true)).toBe(true);
		expect(isResumable({ ...what, byteLength: LAST * SECTOR + 1 }, true)).toBe(false);
	});
});
