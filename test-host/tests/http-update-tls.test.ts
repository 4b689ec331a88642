/** Updates over https, by the SDK's TLS socket. */

import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import HTTPClient from "embedded:network/http/client";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { HTTPUpdateOptions } from "../../ota/client/http-update";
import TLSSocket from "../shims/tls";
import { ClientBench, NEW, RawServer, serves, TestServer } from "./client-bench";

let folder: string;

const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
const text = (name: string) => readFileSync(join(folder, name), "utf8");

function der(name: string): ArrayBuffer {
	const base64 = text(name).replace(/-----[^-]+-----/g, "");
	return new Uint8Array(Buffer.from(base64, "base64")).buffer;
}

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "ota8266-https-"));
	const key = (name: string) => ["-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`];
	for (const name of ["root", "stranger"]) {
		openssl("req", "-x509", ...key(name), "-out", `${name}.pem`, "-days", "30", "-subj", `/CN=${name}`);
	}
	openssl(
		"req",
		...key("server"),
		"-out",
		"server.csr",
		"-subj",
		"/CN=s",
		"-addext",
		"subjectAltName=IP:127.0.0.1",
	);
	const by = [
		"-CA",
		"root.pem",
		"-CAkey",
		"root.key",
		"-CAcreateserial",
		"-days",
		"30",
		"-copy_extensions",
		"copy",
	];
	openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", ...by);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A server with a certificate that the root has signed; its URL. */
async function secure(answer: Parameters<typeof TestServer.start>[0]): Promise<string> {
	const server = createServer(
		{ key: text("server.key"), cert: text("server.pem") + text("root.pem") },
		answer,
	);
	server.on("tlsClientError", () => {});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return `https://127.0.0.1:${(server.address() as AddressInfo).port}/update`;
}

function benchOf(root = "root.pem", options: Partial<HTTPUpdateOptions> = {}): ClientBench {
	return new ClientBench({
		timeout: 2000,
		...options,
		http: {
			io: HTTPClient,
			dns: { io: Resolver, servers: ["127.0.0.1"], socket: { io: UDP } },
			socket: { io: TCP },
			tls: { io: TLSSocket, TCP: { io: TCP }, secure: { certificate: der(root), serverName: "127.0.0.1" } },
		},
	});
}

describe("https", () => {
	test("brings an update", async () => {
		const bench = benchOf();
		expect(await bench.short(await secure(serves(NEW)))).toBe("updated");
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("brings one without a length, and one in chunks", async () => {
		const url = await secure((request, response) => {
			if (request.url === "/close")
				response.writeHead(200, { connection: "close", "transfer-encoding": "identity" });
			response.end(NEW);
		});
		expect(await benchOf().short(url)).toBe("updated");
		const chunked = await secure((_request, response) => {
			response.write(NEW.subarray(0, 10_000));
			response.end(NEW.subarray(10_000));
		});
		expect(await benchOf().short(chunked)).toBe("updated");
	});

	test("of a server that another root has signed for is a failed connection, and nothing is asked", async () => {
		let asked = 0;
		const url = await secure((_request, response) => {
			asked += 1;
			response.end();
		});
		expect(await benchOf("stranger.pem", { token: "secret" }).short(url)).toBe("failed -1");
		expect(asked).toBe(0);
	});

	test("of a server that speaks no TLS is a failed connection", async () => {
		const server = await RawServer.start((socket) => socket.end("HTTP/1.1 400 no\r\n\r\n"), {
			early: "220 hello\r\n",
		});
		expect(await benchOf().short(server.url.replace("http:", "https:"))).toBe("failed -1");
	});

	test("is never left for http, whatever redirects are allowed", async () => {
		const plain = await TestServer.start(serves(NEW));
		const url = await secure((_request, response) => response.writeHead(302, { location: plain.url }).end());
		expect(await benchOf("root.pem", { redirects: "all" }).short(url)).toBe("failed 110");
		expect(plain.asked).toHaveLength(0);
	});

	test("is where a redirect of http may lead", async () => {
		const url = await secure(serves(NEW));
		const plain = await TestServer.start((_request, response) =>
			response.writeHead(302, { location: url }).end(),
		);
		expect(await benchOf("root.pem", { redirects: "all" }).short(plain.url)).toBe("updated");
	});
});
