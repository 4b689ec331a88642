/** The update page in a real browser, served by the whole virtual board. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTCPServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import type { Settings } from "../virtual/modules";
import { BoardBench, newFirmware, until } from "./board-bench";
import { inBrowser, openPage } from "./browser";
import { engines } from "./engines";

const PASSWORD = "open sesame";
const OWNER = { httpCredentials: { username: "admin", password: PASSWORD } };

/** One that a board keeps over its restarts. */
async function freePort(): Promise<number> {
	const server = createTCPServer().listen(0);
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, "close");
	return port;
}

async function start(settings: Settings = {}, engine = engines[0]): Promise<BoardBench> {
	return BoardBench.started(engine ?? "node", { httpPort: await freePort(), ...settings });
}

const pageOf = (bench: BoardBench) => `http://127.0.0.1:${bench.httpPort}/update`;
const line = (page: Page, kind = "firmware") => page.locator(`#${kind} [role=status]`);
const says = (page: Page, text: string | RegExp, kind = "firmware") =>
	line(page, kind).filter({ hasText: text }).waitFor();

async function send(page: Page, image: Uint8Array, kind = "firmware"): Promise<void> {
	const file = { name: "lamp.bin", mimeType: "application/octet-stream", buffer: Buffer.from(image) };
	await page.locator(`#${kind} input`).setInputFiles(file);
	await page.getByRole("button", { name: `Update ${kind}` }).click();
}

/** Sends no more than so many bytes a second, as Wi-Fi does. */
async function throttle(page: Page, bytesPerSecond: number): Promise<void> {
	const devtools = await page.context().newCDPSession(page);
	await devtools.send("Network.emulateNetworkConditions", {
		offline: false,
		latency: 0,
		downloadThroughput: -1,
		uploadThroughput: bytesPerSecond,
	});
}

inBrowser("in a browser", () => {
	test.each(engines)("a firmware is sent, and the new version shown (%s)", async (engine) => {
		const bench = await start({ httpPassword: PASSWORD }, engine);
		const page = await openPage(pageOf(bench), OWNER);
		await page.getByText("Version 1.0.0, chip").waitFor();
		await send(page, await newFirmware());
		await says(page, "Version 1.0.0 → 2.0.0");
		await says(page, "Its MD5 is that of your file.");
		expect(bench.version).toBe("2.0.0");
	});

	test("a filesystem is sent", async () => {
		const bench = await start();
		const page = await openPage(pageOf(bench));
		const image = Buffer.alloc(50_000, "files");
		await send(page, image, "filesystem");
		await says(page, /restarted/, "filesystem");
		expect(Buffer.from(bench.get(0x200000, image.length)).equals(image)).toBe(true);
	});

	test("a firmware that the board refuses is told with its reason, and the old one goes on", async () => {
		const bench = await start();
		const page = await openPage(pageOf(bench));
		const image = (await newFirmware()).slice();
		// Another flash size than the board's.
		image[3] = 0x20;
		await send(page, image);
		await says(page, "ERROR[9]");
		expect(bench.told.at(-1)).toContain("ERROR[9]");
		expect(await bench.reset()).toBe("1.0.0");
	});

	test("a wrong password opens nothing", async () => {
		const bench = await start({ httpPassword: PASSWORD });
		const stranger = { httpCredentials: { username: "admin", password: "guess" } };
		const page = await openPage("about:blank", stranger);
		const answer = await page.goto(pageOf(bench));
		expect(answer?.status()).toBe(401);
	});

	test("an upload that is cancelled leaves the board as it was, and the next one succeeds", async () => {
		const bench = await start();
		const page = await openPage(pageOf(bench));
		await throttle(page, 60_000);
		await send(page, await newFirmware("2.0.0", 300_000));
		await bench.printed("update 10 %");
		await page.locator("#firmware").getByRole("button", { name: "Cancel" }).click();
		await says(page, "Cancelled.");
		await bench.printed("update failed: ERROR[104]");
		await throttle(page, -1);
		await send(page, await newFirmware());
		await says(page, "Version 1.0.0 → 2.0.0");
	});

	test("without script the form does, by one line of text", async () => {
		const bench = await start({ httpPassword: PASSWORD });
		const page = await openPage(pageOf(bench), { ...OWNER, javaScriptEnabled: false });
		await send(page, await newFirmware());
		await page.getByText("Update Success! Rebooting...").waitFor();
		await bench.printed("2.0.0 ready");
	});

	test("without script a refusal is one line of text", async () => {
		const bench = await start();
		const page = await openPage(pageOf(bench), { javaScriptEnabled: false });
		await send(page, Buffer.from("no firmware"));
		await page.getByText("Update error: ERROR[10]: Magic byte is not 0xE9").waitFor();
		expect(bench.told.at(-1)).toContain("ERROR[10]");
	});

	test("a second tab tells that an update is under way, and the first one succeeds", async () => {
		const bench = await start();
		const page = await openPage(pageOf(bench));
		await throttle(page, 100_000);
		await send(page, await newFirmware("2.0.0", 300_000));
		await bench.printed("update 10 %");
		const other = await openPage(pageOf(bench));
		await other.getByText("An update of the firmware is under way, from HTTP 127.0.0.1").waitFor();
		await throttle(page, -1);
		await says(page, "Version 1.0.0 → 2.0.0");
	});

	test("on a phone nothing is cut off, and it updates", async () => {
		const bench = await start();
		const page = await openPage(pageOf(bench), { viewport: { width: 320, height: 640 } });
		await send(page, await newFirmware());
		await says(page, "Version 1.0.0 → 2.0.0");
		expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
	});

	test("a page of somebody else can neither post nor put to the board", async () => {
		const bench = await start();
		const page = await openPage(await strangersPage());
		const image = Array.from(await newFirmware());
		const outcome = await page.evaluate(
			async ([url, bytes]) => {
				const body = new FormData();
				body.append("firmware", new Blob([new Uint8Array(bytes)]));
				const post = fetch(url, { method: "POST", body, mode: "no-cors" });
				const put = fetch(url, { method: "PUT", body: new Uint8Array(bytes) });
				const read = fetch(url.replace("update", "status")).then((answer) => answer.text());
				const outcomes = await Promise.allSettled([post, put, read]);
				return outcomes.map(({ status }) => status);
			},
			[pageOf(bench), image] as const,
		);
		// The first was sent, and refused where no script can see it; the others the browser did not let through.
		expect(outcome).toEqual(["fulfilled", "rejected", "rejected"]);
		await pause(1500);
		expect(bench.told).toEqual([]);
		expect(bench.version).toBe("1.0.0");
	});

	test("a page of somebody else cannot submit a form to the board", async () => {
		const bench = await start();
		const form = `<form method="post" enctype="multipart/form-data" action="${pageOf(bench)}">
			<input name="firmware" type="file"><button>Win</button></form>`;
		const page = await openPage(await strangersPage(form));
		const file = { name: "a.bin", mimeType: "", buffer: Buffer.from(await newFirmware()) };
		await page.locator("input").setInputFiles(file);
		await page.getByRole("button", { name: "Win" }).click();
		await page.getByText("Forbidden: sent by a page of somebody else").waitFor();
		expect(bench.told).toEqual([]);
	});

	test("the start page tells of the board, and links to the update page", async () => {
		const bench = await start({ httpPassword: PASSWORD });
		const page = await openPage(pageOf(bench).replace("/update", "/"), OWNER);
		await page.getByRole("heading", { name: "ota8266" }).waitFor();
		await page.getByText("18:FE:34:").waitFor();
		await page.getByRole("link", { name: "Update" }).click();
		await page.getByRole("button", { name: "Update firmware" }).waitFor();
	});

	test("the password does not cross the air: the browser answers by Digest", async () => {
		const bench = await start({ httpPassword: PASSWORD, httpBasic: false });
		const page = await openPage("about:blank", OWNER);
		const sent: string[] = [];
		const devtools = await page.context().newCDPSession(page);
		await devtools.send("Network.enable");
		devtools.on("Network.requestWillBeSentExtraInfo", ({ headers }) => {
			sent.push(headers.Authorization ?? "");
		});
		await page.goto(pageOf(bench));
		await page.getByText("Version 1.0.0, chip").waitFor();
		await until(() => sent.some((header) => header.startsWith("Digest ")));
		expect(sent.filter((header) => header.startsWith("Basic"))).toEqual([]);
	});
});

/** The address of a page of somebody else, on a server of its own. */
async function strangersPage(html = ""): Promise<string> {
	const server = createServer((_request, response) => {
		response.setHeader("content-type", "text/html").end(`<!doctype html><title>Win</title>${html}`);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
