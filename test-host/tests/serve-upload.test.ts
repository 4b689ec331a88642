/** `PUT /images/<channel>/<file>`, over real sockets. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { IMAGE_LENGTH_MAX } from "../../tools/serve/image";
import {
	type Answer,
	type Bench,
	exchange,
	firmware,
	gzip,
	imageFolder,
	put,
	serve,
	signed,
	until,
	versionFor,
} from "./serve-bench";

const TOKEN = "s3cret-Token";
const image = firmware("1.0.0");

let bench: Bench;

beforeAll(async () => {
	bench = await serve({ "stable/old-0.1.0.bin": firmware("0.1.0") }, { uploadToken: TOKEN });
});

afterAll(() => bench.close());

/** Whatever was answered: nothing half is left behind. */
afterEach(async () => {
	const left = await readdir(bench.folder, { recursive: true });
	expect(left.filter((name) => name.includes(".upload"))).toEqual([]);
});

interface PutOptions {
	authorization?: string | undefined;
	/** Content-Length, where not that of the body; null for none. */
	length?: number | null;
	headers?: string;
}

function head(path: string, length: number | null, options: PutOptions): string {
	const { authorization = `Bearer ${TOKEN}`, headers = "" } = options;
	const contentLength = length === null ? "" : `Content-Length: ${length}\r\n`;
	return `PUT ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n${contentLength}${headers}\r\n`;
}

function upload(path: string, body: Uint8Array, options: PutOptions = {}): Promise<Answer> {
	const { length = body.length } = options;
	return exchange(bench.port, Buffer.concat([Buffer.from(head(path, length, options)), body]));
}

describe("an upload", () => {
	test("is in its place, and offered, when it is answered", async () => {
		const { status } = await upload("/images/ci/lamp-1.0.0.bin", image);
		expect(status).toBe(201);
		expect((await readFile(join(bench.folder, "ci/lamp-1.0.0.bin"))).equals(image)).toBe(true);
		const entries = bench.server.catalogue.offer.entries;
		expect(entries.find(({ channel }) => channel === "ci")?.image?.size).toBe(image.length);
		expect(bench.log.at(-1)).toMatchObject({ method: "PUT", status: 201, file: "ci/lamp-1.0.0.bin" });
	});

	test.each([
		["gz-1.0.0.bin.gz", gzip(image)],
		["signed-1.0.0.bin.signed", signed(image)],
		["both-1.0.0.bin.gz.signed", signed(gzip(image))],
		["files-1.0.0.fs.bin", randomBytes(100_000)],
		["plus-1.0.0+b1.fs.bin", randomBytes(1)],
	])("may be %s", async (file, body) => {
		expect((await upload(`/images/ci/${file}`, body)).status).toBe(201);
	});

	test("may have its plus sign escaped", async () => {
		expect((await upload("/images/ci/escaped-1.0.0%2Bb1.fs.bin", image)).status).toBe(201);
		expect(await readdir(join(bench.folder, "ci"))).toContain("escaped-1.0.0+b1.fs.bin");
	});

	test("may come again with the same content, not with another", async () => {
		expect((await upload("/images/ci/again-1.0.0.bin", image)).status).toBe(201);
		expect((await upload("/images/ci/again-1.0.0.bin", image)).status).toBe(200);
		const other = await upload("/images/ci/again-1.0.0.bin", firmware("1.0.0", { padTo: 20_000 }));
		expect(other.status).toBe(409);
		expect(other.body.toString()).toContain("make a new version");
		expect((await readFile(join(bench.folder, "ci/again-1.0.0.bin"))).equals(image)).toBe(true);
	});

	test("may come in pieces of unknown number", async () => {
		const pieces = [`${image.length.toString(16)}\r\n`, image, "\r\n0\r\n\r\n"].map((piece) =>
			Buffer.from(piece),
		);
		const options = { length: null, headers: "Transfer-Encoding: chunked\r\n" };
		expect((await upload("/images/ci/chunked-1.0.0.bin", Buffer.concat(pieces), options)).status).toBe(201);
	});

	test("waits for a go-on where the client does, as curl", async () => {
		const socket = connect(bench.port, "127.0.0.1");
		socket.write(head("/images/ci/curl-1.0.0.bin", image.length, { headers: "Expect: 100-continue\r\n" }));
		let text = "";
		socket.on("data", (piece) => {
			text += piece.toString();
		});
		await until(() => text.includes("HTTP/1.1 100 Continue\r\n\r\n"));
		socket.write(image);
		await until(() => text.includes("HTTP/1.1 201 Created"));
	});

	test("removes what a server that was killed has left there a day ago", async () => {
		await put(bench.folder, "left/.upload-0123456789abcdef", "x");
		const young = join(bench.folder, "left/.upload-of-another-server");
		await writeFile(young, "x");
		expect((await upload("/images/left/lamp-1.0.0.bin", image)).status).toBe(201);
		expect(await readdir(join(bench.folder, "left"))).toEqual([basename(young), "lamp-1.0.0.bin"]);
		await rm(young);
	});

	test("begins a channel", async () => {
		expect((await upload("/images/new/lamp-1.0.0.bin", image)).status).toBe(201);
		expect(await readdir(bench.folder)).toContain("new");
	});
});

describe("an upload is refused", () => {
	test.each([
		["without a token", ""],
		["with another one", "Bearer s3cret-token"],
		["with the beginning of it", "Bearer s3cret"],
		["with more than it", `Bearer ${TOKEN}x`],
		["with another scheme", `Basic ${TOKEN}`],
		["with nothing behind the scheme", "Bearer "],
	])("%s", async (_, authorization) => {
		const { status, headers } = await upload("/images/ci/token-1.0.0.bin", image, { authorization });
		expect(status).toBe(401);
		expect(headers["www-authenticate"]).toBe("Bearer");
	});

	test("before its body is sent, where the client waits", async () => {
		const options = { authorization: "Bearer x", headers: "Expect: 100-continue\r\n" };
		const answer = await exchange(bench.port, head("/images/ci/token-1.0.0.bin", image.length, options));
		expect(answer.status).toBe(401);
	});

	test.each([
		"/images/",
		"/images/ci",
		"/images/ci/",
		"/images/ci/lamp.bin",
		"/images/ci/.upload-1.0.0.bin",
		"/images/ci/lamp-1.0.0.bin/x",
		"/images//lamp-1.0.0.bin",
		"/images/../lamp-1.0.0.bin",
		"/images/../../tmp/lamp-1.0.0.bin",
		"/images/%2e%2e/lamp-1.0.0.bin",
		"/images/ci/..%2flamp-1.0.0.bin",
		"/images/ci%2f..%2f..%2flamp-1.0.0.bin",
		"/images/ci/%2e%2e%2f%2e%2e%2flamp-1.0.0.bin",
		"/images/ci/..\\lamp-1.0.0.bin",
		"/images/ci/lamp-1.0.0.bin%00",
		"/images/ci/%",
		"/images/.ci/lamp-1.0.0.bin",
		"/images/ci/devices.json",
	])("with the name %s", async (path) => {
		expect((await upload(path, image)).status).toBe(400);
	});

	test.each([
		["damaged", "damaged-1.0.0.bin", image.subarray(0, 6000), "application cut short"],
		["no image", "text-1.0.0.bin", Buffer.from("Hello"), "not an image"],
		["of another version", "lamp-1.0.1.bin", image, "the image says 1.0.0"],
		["unsigned", "lamp-1.0.0.bin.signed", image, "no signature"],
		["empty", "empty-1.0.0.bin", Buffer.alloc(0), "the file is empty"],
	])("when it is %s", async (_, file, body, reason) => {
		const answer = await upload(`/images/ci/${file}`, body);
		expect(answer.status).toBe(422);
		expect(answer.body.toString()).toContain(reason);
		expect(await readdir(join(bench.folder, "ci"))).not.toContain(file);
	});

	test("when it says that it is too long", async () => {
		const { status } = await upload("/images/ci/long-1.0.0.fs.bin", image, { length: IMAGE_LENGTH_MAX + 1 });
		expect(status).toBe(413);
	});

	test("when it is too long and did not say so", async () => {
		const body = Buffer.concat([
			Buffer.from(`${(IMAGE_LENGTH_MAX + 1).toString(16)}\r\n`),
			Buffer.alloc(IMAGE_LENGTH_MAX + 1),
			Buffer.from("\r\n0\r\n\r\n"),
		]);
		const options = { length: null, headers: "Transfer-Encoding: chunked\r\n" };
		expect((await upload("/images/ci/long-1.0.0.fs.bin", body, options)).status).toBe(413);
	});

	test("when the connection ends before it does", async () => {
		const socket = connect(bench.port, "127.0.0.1");
		socket.write(head("/images/ci/lost-1.0.0.fs.bin", 1000, {}));
		socket.write(Buffer.alloc(500));
		const temporary = async () =>
			(await readdir(join(bench.folder, "ci"))).some((name) => name.startsWith("."));
		await until(temporary);
		socket.destroy();
		await until(async () => !(await temporary()));
		await until(() => bench.log.at(-1)?.file === "ci/lost-1.0.0.fs.bin");
		expect(bench.log.at(-1)).toMatchObject({ status: 0, reason: "connection lost" });
	});

	test("while the same one is being uploaded", async () => {
		const socket = connect(bench.port, "127.0.0.1");
		socket.write(head("/images/ci/twice-1.0.0.bin", image.length, {}));
		socket.write(image.subarray(0, 100));
		await until(async () => (await readdir(join(bench.folder, "ci"))).some((name) => name.startsWith(".")));
		expect((await upload("/images/ci/twice-1.0.0.bin", image)).status).toBe(409);
		socket.write(image.subarray(100));
		await until(() => bench.log.at(-1)?.status === 201);
	});

	test("into a channel that is a symbolic link out of the folder, or over a link", async () => {
		const outside = await imageFolder();
		await symlink(outside, join(bench.folder, "outside"));
		expect((await upload("/images/outside/lamp-1.0.0.bin", image)).status).toBe(400);
		expect(await readdir(outside)).toEqual([]);
		await rm(outside, { recursive: true });
		await mkdir(join(bench.folder, "links"), { recursive: true });
		const target = join(bench.folder, "target");
		await writeFile(target, "x");
		await symlink(target, join(bench.folder, "links/lamp-1.0.0.bin"));
		expect((await upload("/images/links/lamp-1.0.0.bin", image)).status).toBe(409);
		expect(await readFile(target, "utf8")).toBe("x");
	});

	test.each(["GET", "POST", "DELETE"])("with %s", async (method) => {
		const request = head("/images/ci/lamp-1.0.0.bin", 0, {}).replace("PUT", method);
		expect(await exchange(bench.port, request)).toMatchObject({ status: 405, headers: { allow: "PUT" } });
	});

	test("where the server has no token", async () => {
		const closed = await serve({});
		const request = head("/images/ci/lamp-1.0.0.bin", 0, {});
		expect((await exchange(closed.port, request)).status).toBe(403);
		expect(await versionFor(closed)).toBe(404);
		await closed.close();
	});
});
