import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Reply, ReplyReader } from "../../tools/espota/reply";

/** Counts as a device writes them. */
const counts = fc.array(fc.integer({ min: 1, max: 5840 }), { maxLength: 20 }).map((list) => list.join(""));

/** What a reader makes of `text`, in pieces that end where `cuts` say. */
function read(text: string, cuts: readonly number[]): Reply {
	const reader = new ReplyReader();
	const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
	let start = 0;
	for (const end of [...ends, text.length]) {
		const reply = reader.write(text.slice(start, end));
		if (reply.kind !== "pending") return reply;
		start = end;
	}
	return { kind: "pending" };
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });

describe("what a device writes, in whatever pieces it comes", () => {
	test("counts alone decide nothing", () => {
		fc.assert(
			fc.property(counts, cuts, (text, at) => {
				expect(read(text, at)).toEqual({ kind: "pending" });
			}),
		);
	});

	test("OK behind the counts is a success", () => {
		fc.assert(
			fc.property(counts, cuts, (text, at) => {
				expect(read(`${text}OK`, at)).toEqual({ kind: "success" });
			}),
		);
	});

	test("an error behind the counts is told in full", () => {
		fc.assert(
			fc.property(counts, fc.integer({ min: 0, max: 16 }), cuts, (text, code, at) => {
				const error = `ERROR[${code}]: NOT OK`;
				expect(read(`${text}${error}\n`, at)).toEqual({ kind: "error", text: error });
			}),
		);
	});

	test("an error waits for its line feed, or for the end", () => {
		const reader = new ReplyReader();
		expect(reader.write("146ERROR[7]: MD5")).toEqual({ kind: "pending" });
		expect(reader.close()).toEqual({ kind: "error", text: "ERROR[7]: MD5" });
	});

	test("an error without an end is cut", () => {
		const reply = new ReplyReader().write(`ERROR[1]: ${"x".repeat(1000)}`);
		expect(reply.kind === "error" && reply.text.length).toBe(200);
	});

	test("an end without a result decides nothing", () => {
		const reader = new ReplyReader();
		reader.write("1460O");
		expect(reader.close()).toEqual({ kind: "pending" });
	});

	test("other text is unknown", () => {
		expect(new ReplyReader().write("1460Ouch")).toEqual({ kind: "unknown", text: "Ouch" });
	});

	test.each([
		[["1460"], 1460],
		[["1460", "1460", "800"], 3720],
		[["14601460800"], 3720],
		[["17520"], 17520],
		[["1460OK"], 1460],
	])("counts that came as %j are about %i bytes", (pieces, bytes) => {
		const reader = new ReplyReader();
		for (const piece of pieces) reader.write(piece);
		expect(reader.acknowledged).toBe(bytes);
	});

	test("digits are counted, not added", () => {
		const reader = new ReplyReader();
		reader.write("1460");
		reader.write("1460\n20");
		expect(reader.digits).toBe(10);
	});
});
