/** Redirects: which are followed, and who gets the credentials. */
import { describe, expect, test } from "vitest";
import type { HTTPUpdateOptions } from "../../ota/client/http-update";
import { ClientBench, NEW, RawServer, serves, TestServer } from "./client-bench";

const REFUSED = "failed 110";

const leads = (location: string | undefined, status = 302) =>
	TestServer.start((_request, response) =>
		response.writeHead(status, location === undefined ? {} : { location }).end("moved"),
	);

const short = (url: string, options: Partial<HTTPUpdateOptions> = {}) => new ClientBench(options).short(url);

describe("a redirect", () => {
	test.each([301, 302, 303, 307, 308])("of %i to the same server is followed", async (status) => {
		const server = await TestServer.start((request, response) => {
			if (request.url === "/new") serves(NEW)(request, response);
			else response.writeHead(status, { location: "/new" }).end("moved");
		});
		expect(await short(server.url)).toBe("updated");
	});

	test("is not followed where they are off", async () => {
		const server = await leads("/update2");
		expect(await short(server.url, { redirects: "off" })).toBe(REFUSED);
		expect(server.asked).toHaveLength(1);
	});

	test("to another server is followed only where all are, and the credentials stay behind", async () => {
		const other = await TestServer.start(serves(NEW));
		const server = await leads(other.url);
		expect(await short(server.url)).toBe(REFUSED);
		expect(other.asked).toHaveLength(0);
		for (const credentials of [{ user: "u", password: "p" }, { token: "t" }]) {
			expect(await short(server.url, { redirects: "all", ...credentials })).toBe("updated");
			expect(server.asked.at(-1)?.headers.authorization).toBeDefined();
			expect(other.asked.at(-1)?.headers.authorization).toBeUndefined();
		}
	});

	test("to the same server takes the credentials along", async () => {
		const server = await TestServer.start((request, response) => {
			if (request.url === "/new") serves(NEW)(request, response);
			else response.writeHead(302, { location: "new" }).end();
		});
		expect(await short(server.url, { token: "t" })).toBe("updated");
		expect(server.asked[1]?.headers.authorization).toBe("Bearer t");
	});

	test("is followed five times, not six", async () => {
		const server = await TestServer.start((request, response) => {
			const left = Number(request.url?.slice(1));
			if (left === 0) serves(NEW)(request, response);
			else response.writeHead(302, { location: `/${left - 1}` }).end();
		});
		const place = server.url.replace("update", "");
		expect(await short(`${place}5`)).toBe("updated");
		expect(await short(`${place}6`)).toBe(REFUSED);
	});

	test.each([undefined, "", "ftp://a/", "http://", "//", "http://a:99999/"])(
		"to %j is refused, and nothing more is asked",
		async (location) => {
			const server = await leads(location);
			expect(await short(server.url, { redirects: "all" })).toBe(REFUSED);
			expect(server.asked).toHaveLength(1);
		},
	);

	test("to a path with an address in its query is followed", async () => {
		const server = await TestServer.start((request, response) => {
			if (request.url !== "/update") serves(NEW)(request, response);
			else response.writeHead(302, { location: "/get?from=http://else.test/" }).end();
		});
		expect(await short(server.url)).toBe("updated");
		expect(server.asked[1]?.url).toBe("/get?from=http://else.test/");
	});

	test("without a body is followed by an update whose bytes take their time", async () => {
		const server = await TestServer.start((request, response) => {
			if (request.url === "/update") {
				response.writeHead(302, { location: "/new", "content-length": "0" }).end();
				return;
			}
			response.writeHead(200, { "content-length": NEW.length }).flushHeaders();
			setTimeout(() => response.end(NEW), 100);
		});
		expect(await short(server.url)).toBe("updated");
	});

	test("whose connection closes at once is followed", async () => {
		const server = await RawServer.start((socket, _request, count) => {
			if (count === 0) socket.end("HTTP/1.0 302 Found\r\nLocation: /new\r\nContent-Length: 9\r\n\r\n");
			else socket.end("HTTP/1.0 304 Not Modified\r\n\r\n");
		});
		expect(await short(server.url)).toBe("no updates");
	});
});
