/** The page at /update in a real browser, against a scripted board: what the page itself does. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { buildPage, PAGE_MAX } from "../../pages/build";
import { md5 } from "../../pages/md5";
import { inBrowser, openPage } from "./browser";
import { FakeHTTPBoard } from "./fake-http-board";

const CAPTIVE = {
	"of iOS":
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
	"of iOS, by its name": "CaptiveNetworkSupport-443 wispr",
	"of Android":
		"Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36",
};

const folder = mkdtempSync(join(tmpdir(), "page-"));
let built: Uint8Array;
let board: FakeHTTPBoard;

beforeAll(async () => {
	built = await buildPage();
});
afterEach(() => board?.close());
afterAll(() => rmSync(folder, { recursive: true }));

const digest = (content: Uint8Array) => createHash("md5").update(content).digest("hex");

/** Bytes that no pattern repeats, `first` in front. */
function content(byteLength: number, first = 0xe9): Buffer {
	const bytes = Buffer.alloc(byteLength);
	for (let i = 0; i < byteLength; i++) bytes[i] = i * 31 + (i >> 8);
	if (byteLength > 0) bytes[0] = first;
	return bytes;
}

const file = (buffer: Buffer, name = "lamp.bin") => ({ name, mimeType: "application/octet-stream", buffer });

/** Opens the page of a board that `prepare` has changed, and waits for its status. */
async function open(
	prepare?: (board: FakeHTTPBoard) => void,
	options?: BrowserContextOptions,
	beforeLoad?: (page: Page) => Promise<void>,
): Promise<Page> {
	board = await FakeHTTPBoard.start(built);
	prepare?.(board);
	const page = await openPage(board.url, options, beforeLoad);
	if (options?.javaScriptEnabled !== false)
		await page
			.getByText(/^(Version|Room|The board does not)/)
			.first()
			.waitFor();
	return page;
}

const line = (page: Page, kind = "firmware") => page.locator(`#${kind} [role=status]`);
const says = (page: Page, text: string | RegExp, kind = "firmware") =>
	line(page, kind).filter({ hasText: text }).waitFor();

async function choose(page: Page, bytes: Buffer, kind = "firmware"): Promise<void> {
	await page.locator(`#${kind} input`).setInputFiles(file(bytes));
}

async function send(page: Page, bytes: Buffer, kind = "firmware"): Promise<void> {
	await choose(page, bytes, kind);
	await page.getByRole("button", { name: `Update ${kind}` }).click();
}

/** Lets no more than so many bytes a second out, as Wi-Fi does. */
async function throttle(page: Page, bytesPerSecond: number): Promise<void> {
	const devtools = await page.context().newCDPSession(page);
	await devtools.send("Network.enable");
	await devtools.send("Network.emulateNetworkConditions", {
		offline: false,
		latency: 0,
		downloadThroughput: -1,
		uploadThroughput: bytesPerSecond,
	});
}

const uploads = () => board.requests.filter((request) => request.startsWith("PUT"));

test(`the page has at most ${PAGE_MAX} bytes, as gzip`, () => {
	expect(built.length).toBeLessThanOrEqual(PAGE_MAX);
	expect([...built.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
});

test("the page needs nothing from elsewhere", () => {
	// The name of SVG in the icon, which nobody fetches.
	const html = gunzipSync(built).toString().replace("xmlns='http://www.w3.org/2000/svg'", "");
	expect(html).not.toMatch(/https?:|\/\/\w|@import|url\(|\bsrc=|<link(?! rel="icon" href="data:)/);
	expect(html).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
	expect(html).toMatch(/^<!doctype html><html lang="en">/);
});

test("MD5 is that of node:crypto, for all lengths about a block and for a megabyte", () => {
	for (const length of [...Array(200).keys(), 4095, 4096, 4097, 1_048_576]) {
		const bytes = content(length);
		expect(md5(bytes), `${length} bytes`).toBe(digest(bytes));
	}
});

inBrowser("the page at /update", () => {
	test("shows the board's name, its version and its room, and fetches nothing but its status", async () => {
		const faults: string[] = [];
		const page = await open(undefined, {}, async (page) => {
			page.on("console", (message) => faults.push(message.text()));
			page.on("pageerror", (error) => faults.push(error.message));
		});
		expect(await page.title()).toBe("lamp");
		expect(await page.locator("header").innerText()).toMatch(/^lamp\s+Version 1\.0\.0, chip 1a2b3c/);
		await says(page, "Room for 1,040 KB.");
		await says(page, "Room for 2,073 KB.", "filesystem");
		expect(board.requests).toEqual(["GET /update", "GET /status"]);
		expect(faults).toEqual([]);
	});

	test("sends a firmware with its MD5, and shows the old and the new version after the restart", async () => {
		const bytes = content(300_001);
		const page = await open((board) => {
			board.onRestart = (upload) => board.restart({ version: "2.0.0", runningMD5: upload.md5 });
		});
		await send(page, bytes);
		await says(page, "Version 1.0.0 → 2.0.0");
		await says(page, "Its MD5 is that of your file.");
		expect(board.uploads).toEqual([{ url: "/update?kind=firmware", md5: digest(bytes), body: bytes }]);
		expect(await page.locator("#about").innerText()).toContain("Version 2.0.0");
	});

	test("sends a filesystem", async () => {
		const bytes = content(70_000, 0x11);
		const page = await open((board) => {
			board.onRestart = () => board.restart();
		});
		await send(page, bytes, "filesystem");
		await says(page, "restarted with the new filesystem", "filesystem");
		expect(board.uploads).toEqual([{ url: "/update?kind=filesystem", md5: digest(bytes), body: bytes }]);
	});

	test("sends to the path that it was loaded from", async () => {
		const page = await open();
		await page.goto(board.url.replace("/update", "/update/hall?x=1"));
		await send(page, content(100));
		await vi.waitFor(() =>
			expect(board.uploads.map(({ url }) => url)).toEqual(["/update/hall?kind=firmware"]),
		);
	});

	test("says nothing of an MD5 that the board has changed", async () => {
		const page = await open((board) => {
			board.onRestart = () => board.restart({ version: "2.0.0", runningMD5: "f".repeat(32) });
		});
		await send(page, content(5000));
		await says(page, "Version 1.0.0 → 2.0.0");
		expect(await line(page).innerText()).not.toContain("MD5");
	});

	test("claims no new firmware where only the restart is certain", async () => {
		const page = await open((board) => {
			board.onRestart = () => board.restart();
		});
		await send(page, content(5000));
		await says(page, "It tells the same version as before.");
	});

	test("tells the board's verdict that the update did not take effect", async () => {
		const page = await open((board) => {
			board.onRestart = () =>
				board.restart({
					update: {
						kind: "firmware",
						result: "did not take effect",
						error: { code: 102, text: "Image damaged" },
						bytes: 5000,
						ms: 400,
						from: "HTTP 192.168.1.20",
					},
				});
		});
		await send(page, content(5000));
		await says(page, /did not take effect.*ERROR\[102\]: Image damaged.*Version 1\.0\.0 runs/s);
	});

	test("its MD5 in the browser is right for all lengths about a block", async () => {
		const page = await open((board) => {
			board.answer = { status: 422, text: "ERROR[102]: no" };
		});
		for (const length of [1, 55, 56, 57, 63, 64, 65, 119, 120, 1_048_576]) {
			const bytes = content(length, 0x20);
			const before = board.uploads.length;
			await send(page, bytes, "filesystem");
			await vi.waitFor(() => expect(board.uploads.length).toBe(before + 1));
			expect(board.uploads[before]?.md5, `${length} bytes`).toBe(digest(bytes));
			await says(page, "Not updated.", "filesystem");
		}
	});

	test.each([
		["an empty file", content(0), /empty.*0 bytes/s],
		["what is no firmware", content(5000, 0x7f), /no firmware.*begins with 0x7F.*begins with 0xE9/s],
		[
			"a firmware of one byte too many",
			content(1_040_385),
			/too large.*1,040,385 bytes.*1,040,384: 1 too many/s,
		],
	])("refuses %s before anything is sent", async (_, bytes, why) => {
		const page = await open();
		await send(page, bytes);
		await says(page, why);
		expect(board.requests).toEqual(["GET /update", "GET /status"]);
	});

	test("takes a firmware that fills the room", async () => {
		const page = await open();
		await choose(page, content(1_040_384));
		await says(page, "Ready to send.");
	});

	test("refuses a filesystem that is too large, with the room that it has", async () => {
		const page = await open((board) => {
			if (board.status) board.status.freeSpace.filesystem = 4096;
		});
		await choose(page, content(4097), "filesystem");
		await says(page, /4,097 bytes.*4,096: 1 too many/, "filesystem");
	});

	test("sends gzip where the boot loader inflates, and refuses it where it does not", async () => {
		const gzip = Buffer.concat([Buffer.of(0x1f, 0x8b), content(500)]);
		const page = await open();
		await choose(page, gzip);
		await says(page, "Ready to send.");
		board.close();
		const other = await open((board) => {
			if (board.status) board.status.gzip = false;
		});
		await choose(other, gzip);
		await says(other, "This board takes no gzip.");
	});

	test("asks for a file when there is none", async () => {
		const page = await open();
		await page.getByRole("button", { name: "Update firmware" }).click();
		await says(page, "Choose a file first.");
	});

	test("says when the chosen file was built anew meanwhile", async () => {
		const path = join(folder, "changed.bin");
		writeFileSync(path, content(100));
		const page = await open();
		await page.locator("#firmware input").setInputFiles(path);
		await says(page, "Ready to send.");
		// Chromium goes by the size as well as by the time.
		writeFileSync(path, content(200));
		await page.getByRole("button", { name: "Update firmware" }).click();
		await says(page, "This file cannot be read.");
		expect(uploads()).toEqual([]);
	});

	test("takes a dropped file, and shows where it would go", async () => {
		const path = join(folder, "dropped.bin");
		writeFileSync(path, content(5000));
		const page = await open();
		const zone = page.locator("#firmware label");
		const box = await zone.boundingBox();
		const devtools = await page.context().newCDPSession(page);
		const drag = (type: "dragEnter" | "dragOver" | "drop") =>
			devtools.send("Input.dispatchDragEvent", {
				type,
				x: (box?.x ?? 0) + 50,
				y: (box?.y ?? 0) + 50,
				data: { items: [], files: [path], dragOperationsMask: 1 },
			});
		await drag("dragEnter");
		await drag("dragOver");
		await vi.waitFor(async () => expect(await zone.getAttribute("class")).toBe("over"));
		await drag("drop");
		await says(page, "Ready to send.");
		expect(await zone.innerText()).toMatch(/dropped\.bin\s+5 KB/);
	});

	test("shows how far it is, how fast and how long, and stops when cancelled", async () => {
		const page = await open();
		await throttle(page, 50_000);
		await send(page, content(400_000));
		const hint = page.locator("#firmware label span");
		await hint.filter({ hasText: /^\d+ of 400 KB, [1-9]\d* KB\/s, \d+ s left$/ }).waitFor();
		const bar = page.getByRole("progressbar", { name: "Firmware sent" });
		await vi.waitFor(async () => {
			const value = Number(await bar.getAttribute("value"));
			expect(value).toBeGreaterThan(0);
			expect(value).toBeLessThan(1);
		});
		expect(await page.getByRole("button", { name: "Update filesystem" }).isDisabled()).toBe(true);
		await page.getByRole("button", { name: "Cancel" }).click();
		await says(page, /Cancelled.*The firmware that runs is untouched/s);
		expect(await bar.isVisible()).toBe(false);
		expect(await page.getByRole("button", { name: "Update filesystem" }).isDisabled()).toBe(false);
		expect(board.uploads).toEqual([]);
	});

	test.each([
		[401, "Unauthorized", /Unauthorized.*sign in/],
		[403, "Forbidden: another site", /Forbidden: another site.*the board’s own address/],
		[409, "ERROR[15]: Update already running", /ERROR\[15\]: Update already running.*Wait/],
		[411, "Length Required", /Length Required.*another browser/],
		[413, "ERROR[4]: Not Enough Space", /ERROR\[4\]: Not Enough Space.*Nothing was changed/],
		[422, "ERROR[7]: MD5 verification failed", /ERROR\[7\]: MD5 verification failed.*untouched/],
		[200, "Update error: ERROR[1]: Flash Write Failed", /ERROR\[1\]: Flash Write Failed.*untouched/],
		[500, "", /HTTP 500.*untouched/],
	])("tells what the board answers: %i %s", async (status, text, shown) => {
		const page = await open((board) => {
			board.answer = { status, text };
		});
		await send(page, content(5000));
		await says(page, /Not updated/);
		await says(page, shown);
		expect(await page.getByRole("button", { name: "Update firmware" }).isEnabled()).toBe(true);
	});

	test("sends the same file again after a failure", async () => {
		const page = await open((board) => {
			board.answer = { status: 422, text: "ERROR[1]: Flash Write Failed" };
			board.onRestart = () => board.restart({ version: "2.0.0" });
		});
		await send(page, content(5000));
		await says(page, "Not updated.");
		board.answer = { status: 200, text: "Update Success! Rebooting..." };
		await page.getByRole("button", { name: "Update firmware" }).click();
		await says(page, "Version 1.0.0 → 2.0.0");
		expect(board.uploads.map(({ body }) => body.length)).toEqual([5000, 5000]);
	});

	test("shows an answer as text, whatever is in it", async () => {
		const page = await open((board) => {
			board.answer = { status: 422, text: "<img src=x onerror=alert(1)>" };
			if (board.status) board.status.name = "<b>lamp</b>";
		});
		await send(page, content(5000));
		await says(page, "<img src=x onerror=alert(1)>");
		expect(await page.locator("h1").innerText()).toBe("<b>lamp</b>");
	});

	test("waits for no restart when the board tells of none", async () => {
		const page = await open((board) => {
			board.answer = { status: 200, text: "Update Success!" };
		});
		await send(page, content(5000));
		await says(page, "Update Success!");
		expect(await page.getByRole("button", { name: "Update firmware" }).isEnabled()).toBe(true);
	});

	test.each([
		[
			"firmware",
			/connection was lost.*of 400 KB were sent.*The firmware that runs is untouched\. Try again/s,
		],
		["filesystem", /connection was lost.*untouched; the filesystem may be incomplete/s],
	])("says what a lost connection leaves: %s", async (kind, shown) => {
		const page = await open((board) => {
			board.receive = (request) => request.once("data", () => request.socket.destroy());
		});
		await throttle(page, 50_000);
		await send(page, content(400_000), kind);
		await says(page, shown, kind);
	});

	test("tells the board's error when its answer was lost with the connection", async () => {
		const page = await open((board) => {
			board.receive = (request) =>
				request.once("data", () => {
					if (board.status)
						board.status.update = {
							kind: "firmware",
							result: "failed",
							error: { code: 1, text: "Flash Write Failed" },
							bytes: 4096,
							ms: 20,
							from: "HTTP 192.168.1.20",
						};
					request.socket.destroy();
				});
		});
		await throttle(page, 50_000);
		await send(page, content(400_000));
		await says(page, /connection was lost.*ERROR\[1\]: Flash Write Failed/s);
	});

	test("gives an upload up that stands still", async () => {
		const page = await open(
			(board) => {
				board.answer = "never";
			},
			{},
			(page) => page.clock.install(),
		);
		await send(page, content(5000));
		await says(page, "All sent.");
		await vi.waitFor(() => expect(board.uploads.length).toBe(1));
		board.deaf = true;
		await page.clock.runFor(31_000);
		await says(page, "No answer.");
	});

	test("finds the new version when only the answer was lost", async () => {
		const page = await open((board) => {
			board.answer = "hangs up";
		});
		await send(page, content(5000));
		await says(page, "No answer.");
		board.restart({ version: "2.0.0" });
		await says(page, "Version 1.0.0 → 2.0.0");
	});

	test("says what to do when the board does not come back within 60 s", async () => {
		const page = await open(
			(board) => {
				board.onRestart = () => {
					board.deaf = true;
				};
			},
			{},
			(page) => page.clock.install(),
		);
		await send(page, content(5000));
		await says(page, "Sent and verified.");
		await page.locator("#firmware span", { hasText: "Waiting for the board" }).first().waitFor();
		await page.clock.fastForward(58_000);
		expect(await line(page).innerText()).toContain("Sent and verified.");
		await page.clock.fastForward(5_000);
		await says(page, /has not come back.*Is it on.*load this page again/s);
	});

	test("says what to do when the board answers and does not restart", async () => {
		const page = await open(undefined, {}, (page) => page.clock.install());
		await send(page, content(5000));
		await says(page, "Sent and verified.");
		await page.locator("#firmware span", { hasText: "Waiting for the board" }).first().waitFor();
		// The board's clock is the real one: it lags behind the page's, which looks like a restart.
		if (board.status) board.status.uptime += 100;
		await page.clock.fastForward(61_000);
		await says(page, /has not restarted.*reset button/s);
	});

	test("a board that is only slow has not restarted", async () => {
		const page = await open();
		await send(page, content(5000));
		await page.locator("#firmware span", { hasText: "Waiting for the board: 3 s" }).waitFor();
		board.restart({ version: "2.0.0" });
		await says(page, "Version 1.0.0 → 2.0.0");
	});

	test("says that an update is under way, and lets send when it is over", async () => {
		const update = {
			kind: "firmware",
			result: "running",
			error: null,
			bytes: 12_345,
			ms: 456,
			from: "ArduinoOTA 192.168.1.20",
		};
		const page = await open(
			(board) => {
				if (board.status) board.status.update = update;
			},
			{},
			(page) => page.clock.install(),
		);
		await page.getByText("An update of the firmware is under way, from ArduinoOTA 192.168.1.20.").waitFor();
		const submit = page.getByRole("button", { name: "Update firmware" });
		expect(await submit.isDisabled()).toBe(true);
		if (board.status)
			board.status.update = { ...update, result: "failed", error: { code: 6, text: "Stream Read Timeout" } };
		await page.clock.runFor(3_000);
		await page.getByText("Last update, firmware: failed. ERROR[6]: Stream Read Timeout").waitFor();
		expect(await submit.isDisabled()).toBe(false);
	});

	test("works with a board that has no status", async () => {
		const page = await open((board) => {
			board.status = null;
		});
		await page.getByText("The board does not tell its status.").waitFor();
		await send(page, content(0));
		await says(page, "This file is empty.");
		board.answer = { status: 413, text: "ERROR[4]: Not Enough Space" };
		await send(page, content(5_000));
		await says(page, "ERROR[4]: Not Enough Space");
		board.answer = { status: 200, text: "Update Success! Rebooting..." };
		await page.getByRole("button", { name: "Update firmware" }).click();
		await says(page, "Sent and verified.");
	});

	test("checks a file again that was chosen before the status came", async () => {
		let answer = () => {};
		const late = new Promise<void>((resolve) => {
			answer = resolve;
		});
		board = await FakeHTTPBoard.start(built);
		const page = await openPage(board.url, {}, async (page) => {
			await page.route("**/status", async (route) => {
				await late;
				await route.continue();
			});
		});
		await choose(page, content(1_040_385));
		await says(page, "Ready to send.");
		answer();
		await says(page, "This file is too large.");
	});

	test("is worked by keyboard alone", async () => {
		const page = await open((board) => {
			board.onRestart = () => board.restart({ version: "2.0.0" });
		});
		// Early: the browser is told of it in its own time.
		const chooser = page.waitForEvent("filechooser");
		await page.keyboard.press("Tab");
		const ring = await page.evaluate(
			"getComputedStyle(document.querySelector('#firmware label')).outlineStyle",
		);
		expect(ring).toBe("solid");
		await page.keyboard.press("Enter");
		await (await chooser).setFiles(file(content(5000)));
		await says(page, "Ready to send.");
		await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await says(page, "Version 1.0.0 → 2.0.0");
		expect(await page.evaluate("document.activeElement.textContent")).toBe("Update firmware");
	});

	test("has the focus on Cancel while it sends", async () => {
		const page = await open();
		await throttle(page, 50_000);
		await send(page, content(400_000));
		await page.getByRole("button", { name: "Cancel" }).waitFor();
		await page.keyboard.press("Enter");
		await says(page, "Cancelled.");
	});

	test.each(["light", "dark"] as const)(
		"is legible in a %s scheme: contrast 4.5 at least",
		async (colorScheme) => {
			const page = await open(undefined, { colorScheme });
			await choose(page, content(0));
			await says(page, "This file is empty.");
			const measured = (await page.evaluate(CONTRASTS)) as [text: string, contrast: number][];
			expect(measured.length).toBeGreaterThan(8);
			expect(measured.filter(([, contrast]) => contrast < 4.5)).toEqual([]);
			const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
			expect(ground).toBe(colorScheme === "dark" ? "rgb(16, 22, 21)" : "rgb(239, 237, 230)");
		},
	);

	test("fits a phone 320 pixels wide, whatever it says", async () => {
		const page = await open(
			(board) => {
				if (board.status) board.status.name = "a-name-that-goes-on-".repeat(4);
				board.answer = { status: 422, text: `ERROR[7]: ${"0123456789abcdef".repeat(8)}` };
			},
			{ viewport: { width: 320, height: 640 } },
		);
		await page.locator("#firmware input").setInputFiles(file(content(5000), `${"long".repeat(20)}.bin`));
		await page.getByRole("button", { name: "Update firmware" }).click();
		await says(page, "Not updated.");
		expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
	});

	test("nothing moves while it sends", async () => {
		const page = await open();
		await choose(page, content(400_000));
		await throttle(page, 100_000);
		const before = await page.locator("#filesystem").boundingBox();
		await page.getByRole("button", { name: "Update firmware" }).click();
		await page.getByRole("button", { name: "Cancel" }).waitFor();
		expect(await page.locator("#filesystem").boundingBox()).toEqual(before);
	});

	test.each(Object.entries(CAPTIVE))(
		"in a sign-in window %s it tells the address to open",
		async (_, userAgent) => {
			const page = await open(undefined, { userAgent });
			await page.getByRole("heading", { name: "Open this page in a browser" }).waitFor();
			expect(await page.locator("code").innerText()).toBe(board.url);
			expect(await page.locator("#firmware").isVisible()).toBe(false);
			await page.getByRole("button", { name: "Show the forms" }).click();
			expect(await page.locator("#firmware").isVisible()).toBe(true);
			expect(await page.locator("code").isVisible()).toBe(false);
		},
	);

	test.each([
		[
			"Safari",
			"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
		],
		["Firefox", "Mozilla/5.0 (Android 14; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0"],
	])("%s is no sign-in window", async (_, userAgent) => {
		const page = await open(undefined, { userAgent });
		expect(await page.locator("#firmware").isVisible()).toBe(true);
		expect(await page.locator("#portal").isVisible()).toBe(false);
	});

	test.each(["firmware", "filesystem"])("without script the form sends the %s", async (kind) => {
		const bytes = content(5000);
		const page = await open(undefined, { javaScriptEnabled: false });
		expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
		await send(page, bytes, kind);
		await page.getByText("Update Success! Rebooting...").waitFor();
		// The board's line of text has no icon, which the browser looks for after it.
		expect(board.requests.slice(0, 2)).toEqual(["GET /update", "POST /update"]);
		const body = board.uploads[0]?.body ?? Buffer.alloc(0);
		expect(body.toString("latin1")).toContain(`name="${kind}"; filename="lamp.bin"`);
		expect(body.includes(bytes)).toBe(true);
	});
});

/** In the page: what is to be read, and its contrast with its ground (WCAG 2.1). Buttons that are off do not count. */
const CONTRASTS = `
(() => {
	const parse = (color) => color.match(/[\\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const ground = (element) => {
		const color = parse(getComputedStyle(element).backgroundColor);
		return color[3] === 0 ? ground(element.parentElement) : color;
	};
	return [...document.body.querySelectorAll("*")]
		.filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && e.matches(":not(script, noscript)"))
		.filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
		.map((e) => {
			const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(ground(e))].sort((x, y) => y - x);
			return [e.textContent, (a + 0.05) / (b + 0.05)];
		});
})()`;
