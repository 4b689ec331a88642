/** The parser of forms, against a slow one of its own and busboy's: however a body is cut into pieces. */
import busboy from "busboy";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { Multipart } from "../../ota/http/multipart";
import { installGlobals } from "../shims/globals";
import { codeOf } from "./updater-bench";

beforeAll(installGlobals);

const PIECE = 1460;

/** A part's name, and its bytes as Latin-1. */
type Part = readonly [name: string, content: string];

interface Parsed {
	parts: Part[];
	complete: boolean;
	/** The number of the error that ended it. */
	error: ErrorCode | undefined;
}

const quoted = (boundary: string) => `multipart/form-data; boundary="${boundary}"`;

function cut(body: string, positions: readonly number[]): string[] {
	const ends = [...positions, body.length];
	return ends.map((end, i) => body.slice(ends[i - 1] ?? 0, end));
}

function parse(contentType: string, pieces: readonly string[]): Parsed {
	const parts: Part[] = [];
	let name = "";
	let content: string | undefined;
	let found: Uint8Array[] = [];
	const sink = {
		onPart(given: string) {
			name = given;
			content = "";
		},
		onData(bytes: Uint8Array) {
			found.push(bytes);
			// An empty piece would begin the update of a file that was not chosen.
			expect(bytes.length).toBeGreaterThan(0);
			content += Buffer.from(bytes).toString("latin1");
		},
		onPartEnd() {
			parts.push([name, content ?? ""]);
			content = undefined;
		},
	};
	const parser = new Multipart(contentType, PIECE, sink);
	const error = codeOf(() => {
		for (const piece of pieces) {
			for (let at = 0; at === 0 || at < piece.length; at += PIECE) {
				found = [];
				parser.write(Buffer.from(piece.slice(at, at + PIECE), "latin1"));
				// The bytes are to last until the next piece.
				const length = content?.length ?? 0;
				const last = found.map((bytes) => Buffer.from(bytes).toString("latin1")).join("");
				if (content !== undefined) expect(content.endsWith(last.slice(-length || last.length))).toBe(true);
			}
		}
	});
	return { parts, complete: parser.complete, error };
}

/** All at once, by searching: slow, and hard to get wrong. */
function reference(boundary: string, body: string): Part[] {
	const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
	const last = pieces.findIndex((piece, i) => i > 0 && piece.startsWith("--"));
	return pieces.slice(1, last).map((piece) => {
		const start = piece.indexOf("\r\n\r\n");
		return [/ name="([^"]*)"/.exec(piece)?.[1] ?? "", piece.slice(start + 4)];
	});
}

function bodyOf(boundary: string, parts: readonly Part[], { preamble = "", epilogue = "\r\n" } = {}): string {
	const middle = parts.map(
		([name, content]) =>
			`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n${content}\r\n`,
	);
	return `${preamble}${middle.join("")}--${boundary}--${epilogue}`;
}

function byBusboy(boundary: string, body: string): Promise<Part[]> {
	return new Promise((resolve, reject) => {
		const parts: Part[] = [];
		const parser = busboy({ headers: { "content-type": quoted(boundary) } });
		parser.on("file", (name, stream) => {
			const pieces: Buffer[] = [];
			stream.on("data", (piece: Buffer) => pieces.push(piece));
			stream.on("close", () => parts.push([name, Buffer.concat(pieces).toString("latin1")]));
		});
		parser.on("error", reject);
		parser.on("close", () => resolve(parts));
		parser.end(Buffer.from(body, "latin1"));
	});
}

const samples: readonly (readonly [what: string, boundary: string, body: string, parts: Part[]])[] = [
	["one file", "b", bodyOf("b", [["firmware", "abc"]]), [["firmware", "abc"]]],
	[
		"two files, one of them empty",
		"bound",
		bodyOf("bound", [
			["firmware", ""],
			["filesystem", "\r\n--boun\r\n"],
		]),
		[
			["firmware", ""],
			["filesystem", "\r\n--boun\r\n"],
		],
	],
	[
		"what nearly is a delimiter",
		"--",
		bodyOf("--", [["a", "\r\n---\r\n--\r\n-\r\n\r\n\r\r\n--\r--\n--"]]),
		[["a", "\r\n---\r\n--\r\n-\r\n\r\n\r\r\n--\r--\n--"]],
	],
	[
		"a delimiter that repeats itself",
		"aabaab",
		bodyOf("aabaab", [["a", "\r\n--aabaa\r\n--aabaabaab".slice(0, -4)]]),
		[["a", "\r\n--aabaa\r\n--aabaabaab".slice(0, -4)]],
	],
	[
		"preamble and epilogue",
		"b",
		bodyOf("b", [["a", "x"]], { preamble: "To: you\r\n\r\n--\r\n-b\r\n", epilogue: "\r\n--b\r\nend" }),
		[["a", "x"]],
	],
	[
		"line feeds and spaces behind the delimiters",
		"b",
		"--b \t\r\nContent-Disposition: form-data; name=a\n\nx\n\r\n--b\t\r\n\r\n\r\n--b-- \t",
		[
			["a", "x\n"],
			["", ""],
		],
	],
	[
		"headers in any order and case",
		"b",
		'--b\r\nContent-Type: a/b; name="z"\r\nCONTENT-disposition:form-data;filename="x;y";NAME=a\r\nX: y\r\n\r\n1\r\n--b--',
		[["a", "1"]],
	],
];

describe.each(samples)("%s", (_what, boundary, body, parts) => {
	const expected = { parts, complete: true, error: undefined };

	test("is found at whatever place the body is cut in two", () => {
		for (let at = 0; at <= body.length; at++) {
			expect(parse(quoted(boundary), cut(body, [at]))).toEqual(expected);
		}
	});

	test("is found at whatever places a piece is cut out of the body", () => {
		for (let first = 0; first <= body.length; first++) {
			for (let second = first; second <= Math.min(body.length, first + 24); second++) {
				expect(parse(quoted(boundary), cut(body, [first, second])).parts).toEqual(parts);
			}
		}
	});

	test("is found byte by byte", () => {
		expect(parse(quoted(boundary), [...body])).toEqual(expected);
	});

	test("is not complete at whatever byte the body ends too early", () => {
		const end = body.indexOf(`--${boundary}--`) + boundary.length + 4;
		for (let at = 0; at < end; at++) {
			const { complete, error } = parse(quoted(boundary), [body.slice(0, at)]);
			expect([complete, error]).toEqual([false, undefined]);
		}
		expect(parse(quoted(boundary), [body.slice(0, end)]).complete).toBe(true);
	});
});

describe("whatever the parts are, and however they are cut,", () => {
	const boundaries = fc
		.array(fc.constantFrom(..."abAB09'()+_,-./:=?"), { minLength: 1, maxLength: 70 })
		.map((characters) => characters.join(""));
	const names = fc.array(fc.constantFrom(..."abcfirmware_-."), { maxLength: 12 }).map((all) => all.join(""));

	/** Bytes of any kind, and much that nearly is a delimiter. */
	const contents = (boundary: string) => {
		const delimiter = `\r\n--${boundary}`;
		const nearly = fc.nat(delimiter.length - 1).map((count) => delimiter.slice(0, count));
		const ending = fc.nat(delimiter.length - 1).map((count) => delimiter.slice(count + 1));
		const bytes = fc.uint8Array({ maxLength: 200 }).map((all) => Buffer.from(all).toString("latin1"));
		const breaks = fc.constantFrom("\r", "\n", "\r\n", "-", "--", "\r\n--", "\r\r\n", boundary);
		return fc
			.array(fc.oneof(nearly, ending, bytes, breaks), { maxLength: 12 })
			.map((pieces) => pieces.join(""))
			.filter((content) => !`\r\n${content}`.includes(delimiter));
	};
	const forms = boundaries.chain((boundary) =>
		fc.record({
			boundary: fc.constant(boundary),
			parts: fc.array(fc.tuple(names, contents(boundary)), { maxLength: 4 }),
			preamble: contents(boundary).map((text) => (text === "" ? "" : `${text}\r\n`)),
			epilogue: fc.constantFrom("", "\r\n", `\r\n--${boundary}\r\nmore`, "\0"),
			cuts: fc.array(fc.nat(10_000), { maxLength: 8 }),
		}),
	);

	test("they come out as they were", () => {
		fc.assert(
			fc.property(forms, ({ boundary, parts, preamble, epilogue, cuts }) => {
				const body = bodyOf(boundary, parts, { preamble, epilogue });
				const positions = cuts.map((at) => at % (body.length + 1)).sort((a, b) => a - b);
				const parsed = parse(quoted(boundary), cut(body, positions));
				expect(parsed).toEqual({ parts, complete: true, error: undefined });
				expect(parsed.parts).toEqual(reference(boundary, body));
			}),
			{ numRuns: 1500 },
		);
	});

	test("they come out byte by byte", () => {
		fc.assert(
			fc.property(forms, ({ boundary, parts, preamble, epilogue }) => {
				const body = bodyOf(boundary, parts, { preamble, epilogue });
				expect(parse(quoted(boundary), [...body]).parts).toEqual(parts);
			}),
			{ numRuns: 150 },
		);
	});

	test("they come out as busboy finds them", async () => {
		await fc.assert(
			fc.asyncProperty(forms, async ({ boundary, parts, cuts }) => {
				// A body without a part is a mistake to busboy, a name that is empty no field.
				const named = parts.map(([name, content]): Part => [`n${name}`, content]);
				const body = bodyOf(boundary, [["first", "1"], ...named]);
				const positions = cuts.map((at) => at % (body.length + 1)).sort((a, b) => a - b);
				expect(parse(quoted(boundary), cut(body, positions)).parts).toEqual(await byBusboy(boundary, body));
			}),
			{ numRuns: 500 },
		);
	});

	test("a large one comes out in the pieces of a TCP connection", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ minLength: 20_000, maxLength: 40_000 }),
				fc.nat(PIECE - 1),
				(bytes, first) => {
					const content = Buffer.from(bytes).toString("latin1");
					const body = bodyOf("----WebKitFormBoundary0123456789abcdef", [["firmware", content]]);
					const parsed = parse(quoted("----WebKitFormBoundary0123456789abcdef"), cut(body, [first]));
					expect(parsed.parts[0]?.[1] === content).toBe(true);
				},
			),
			{ numRuns: 30 },
		);
	});

	test("noise in place of a form is an error, or no form", () => {
		const noise = fc.array(
			fc.constantFrom(
				"--b",
				"--b--",
				"\r\n",
				"\r",
				"\n",
				"-",
				":",
				";",
				" ",
				"\0",
				"Content-Disposition:",
				"name=a",
				'"',
			),
			{ maxLength: 60 },
		);
		fc.assert(
			fc.property(noise, fc.array(fc.nat(300), { maxLength: 4 }), (pieces, cuts) => {
				const body = pieces.join("");
				const positions = cuts.map((at) => at % (body.length + 1)).sort((a, b) => a - b);
				const whole = parse(quoted("b"), [body]);
				expect(parse(quoted("b"), cut(body, positions))).toEqual(whole);
				expect([undefined, ErrorCode.FORM]).toContain(whole.error);
			}),
			{ numRuns: 2000 },
		);
	});
});

describe("a limit holds exactly:", () => {
	const headers = (...lines: string[]) => `--b\r\n${lines.join("\r\n")}\r\n\r\nx\r\n--b--`;
	const errorOf = (body: string) => parse(quoted("b"), [body]).error;

	test("70 characters of a boundary", () => {
		const boundary = "x".repeat(70);
		expect(parse(quoted(boundary), [bodyOf(boundary, [["a", "y"]])]).parts).toEqual([["a", "y"]]);
		expect(codeOf(() => parse(quoted(`${boundary}x`), []))).toBe(ErrorCode.FORM);
	});

	test("512 bytes of a header", () => {
		const start = 'Content-Disposition: form-data; name=a; filename="';
		const header = (length: number) => `${start}${"x".repeat(length - start.length - 1)}"`;
		expect(errorOf(headers(header(512)))).toBeUndefined();
		expect(errorOf(headers(header(513)))).toBe(ErrorCode.FORM);
	});

	test("2,048 bytes of a part's headers", () => {
		const line = "x".repeat(512);
		expect(errorOf(headers(line, line, line, line))).toBeUndefined();
		expect(errorOf(headers(line, line, line, line, "x"))).toBe(ErrorCode.FORM);
	});

	test("the next part has all of them again", () => {
		const lines = `${`${"x".repeat(512)}\r\n`.repeat(4)}\r\n`;
		expect(errorOf(`--b\r\n${lines}\r\n--b\r\n${lines}\r\n--b--`)).toBeUndefined();
	});

	test("a piece as large as was said", () => {
		const content = "y".repeat(PIECE);
		const head = bodyOf("b", [["a", ""]]).split("\r\n\r\n")[0] ?? "";
		const pieces = [`${head}\r\n\r\n`, content, content, "\r\n--b--"];
		expect(parse(quoted("b"), pieces).parts).toEqual([["a", content + content]]);
	});
});

describe("refused is", () => {
	test.each([
		["no Content-Type", ""],
		["a Content-Type without a boundary", "multipart/form-data"],
		["an empty boundary", "multipart/form-data; boundary="],
		["an empty boundary in quotes", 'multipart/form-data; boundary=""'],
		["a boundary whose quotes do not end", 'multipart/form-data; boundary="b'],
		["a boundary beyond ASCII", 'multipart/form-data; boundary="\xe4"'],
		["a long boundary beyond ASCII", `multipart/form-data; boundary="${"\xe4".repeat(70)}"`],
		["a form that is no multipart", "application/x-www-form-urlencoded"],
	])("%s", (_what, contentType) => {
		expect(codeOf(() => parse(contentType, ["x"]))).toBe(ErrorCode.FORM);
	});

	test.each([
		["text behind a delimiter", "--bx\r\n"],
		["one dash behind a delimiter", "--b-\r\n"],
		["a dash and text behind a delimiter", "--b-x-\r\n"],
		["text behind the spaces of a delimiter", "--b x\r\n"],
		["a longer boundary", "--bb\r\n"],
	])("%s", (_what, delimiter) => {
		expect(parse(quoted("b"), [delimiter]).error).toBe(ErrorCode.FORM);
		expect(parse(quoted("b"), [`${bodyOf("b", [["a", "x"]]).slice(0, -7)}\r\n${delimiter}`])).toMatchObject({
			complete: false,
			error: ErrorCode.FORM,
		});
	});
});

test("a boundary without quotes is the same one", () => {
	const boundary = "----WebKitFormBoundary+:?x";
	const body = bodyOf(boundary, [["a", "y"]]);
	for (const type of [
		`multipart/form-data; boundary=${boundary}`,
		`multipart/form-data;BOUNDARY=${boundary}; x=y`,
	]) {
		expect(parse(type, [body]).parts).toEqual([["a", "y"]]);
	}
});

test("a delimiter is one only where a line has ended before it", () => {
	expect(parse(quoted("b"), ["x--b\r\n\r\n", "\n--b--"])).toMatchObject({ parts: [], complete: false });
});

test("what comes behind the last delimiter is dropped, however long", () => {
	const parsed = parse(quoted("b"), [
		bodyOf("b", [["a", "x"]]),
		...Array<string>(20).fill("\r\n--b\r\n".repeat(90)),
	]);
	expect(parsed).toEqual({ parts: [["a", "x"]], complete: true, error: undefined });
});
