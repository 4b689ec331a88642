/** The page of docs/flash in a real browser: a Web Serial port that leads to the virtual board's serial line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { flashPage } from "../../pages/flash/build";
import { openWire, type Wire } from "../../tools/serial/wire";
import { FIRST } from "./board-bench";
import { inBrowser, openPage } from "./browser";
import { withOwnBootLoader } from "./own-firmware";
import { type SerialBench, serialBench } from "./serial-bench";

const folder = join(import.meta.dirname, "../../docs/flash");

test("docs/flash is what its sources make: npm run page:flash", async () => {
	for (const [name, text] of await flashPage()) {
		expect(readFileSync(join(folder, name), "utf8") === text, name).toBe(true);
	}
});

/** Gives the page a `navigator.serial` with one port, whose far end is the board's. */
async function plugIn(page: Page, bench: SerialBench): Promise<{ unplug(): Promise<void> }> {
	let wire: Wire | undefined;
	let received: number[] = [];
	let wake: (() => void) | undefined;
	onTestFinished(() => wire?.close());
	await page.exposeFunction("serialOpen", async (baudRate: number) => {
		wire = await openWire(`rfc2217://${bench.line}`, baudRate, {
			onData(bytes) {
				received.push(...bytes);
				wake?.();
			},
			onLost() {},
		});
	});
	await page.exposeFunction("serialClose", async () => {
		await wire?.close();
		wire = undefined;
	});
	await page.exposeFunction("serialWrite", (bytes: number[]) => wire?.write(Uint8Array.from(bytes)));
	await page.exposeFunction("serialLines", (dtr: boolean, rts: boolean) => wire?.setLines(dtr, rts));
	await page.exposeFunction("serialRead", async () => {
		if (received.length === 0) await new Promise<void>((resolve) => (wake = resolve));
		const bytes = received;
		received = [];
		return bytes;
	});
	await page.addInitScript({ content: `(${fakeSerial.toString()})()` });
	return { unplug: () => page.evaluate("navigator.serial.unplug()") };
}

/** In the page: Web Serial's interface as far as the page uses it. */
function fakeSerial(): void {
	const far = globalThis as unknown as {
		navigator: object;
		serialOpen(baudRate: number): Promise<void>;
		serialClose(): Promise<void>;
		serialRead(): Promise<number[]>;
		serialWrite(bytes: number[]): Promise<void>;
		serialLines(dtr: boolean, rts: boolean): Promise<void>;
	};
	class FakePort extends EventTarget {
		readable: ReadableStream | null = null;
		writable: WritableStream | null = null;
		#dtr = false;
		#rts = false;
		#controller: ReadableStreamDefaultController | undefined;

		getInfo() {
			return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
		}

		async open({ baudRate }: { baudRate: number }) {
			await far.serialOpen(baudRate);
			let open = true;
			this.readable = new ReadableStream({
				start: (controller) => {
					this.#controller = controller;
				},
				pull: async (controller) => {
					const bytes = await far.serialRead();
					if (open) controller.enqueue(Uint8Array.from(bytes));
				},
				cancel: () => {
					open = false;
				},
			});
			this.writable = new WritableStream({ write: (bytes: Uint8Array) => far.serialWrite([...bytes]) });
		}

		async close() {
			this.readable = this.writable = null;
			await far.serialClose();
		}

		async setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }) {
			this.#dtr = signals.dataTerminalReady ?? this.#dtr;
			this.#rts = signals.requestToSend ?? this.#rts;
			await far.serialLines(this.#dtr, this.#rts);
		}

		unplug() {
			this.#controller?.error(new DOMException("The device has been lost.", "NetworkError"));
			this.readable = this.writable = null;
			this.dispatchEvent(new Event("disconnect"));
		}
	}
	const port = new FakePort();
	const serial = { requestPort: async () => port, unplug: () => port.unplug() };
	Object.defineProperty(far.navigator, "serial", { value: serial });
}

const url = pathToFileURL(join(folder, "index.html")).href;

const says = (page: Page, text: string) =>
	page.locator("form > [role=status]").filter({ hasText: text }).waitFor();

async function choose(page: Page, content: Uint8Array, name = "firmware.bin"): Promise<void> {
	await page.locator("input").setInputFiles({ name, mimeType: "", buffer: Buffer.from(content) });
}

const flash = (page: Page) => page.getByRole("button", { name: "Connect and flash" }).click();

inBrowser("in a browser, from the disk", () => {
	test("a firmware is flashed by cable, and the board boots it", async () => {
		const bench = await serialBench();
		bench.board.powerOn();
		const page = await openPage(url, {}, async (page) => {
			await plugIn(page, bench);
		});
		await choose(page, FIRST);
		await says(page, "Ready.");
		await flash(page);
		await says(page, "Done.");
		await page.getByText("ESP8266EX, MAC 18:FE:34:AA:BB:CC, 4 MiB of flash").waitFor();
		expect(Buffer.from(bench.get(0, FIRST.length)).equals(FIRST)).toBe(true);
		await bench.ready();
		expect(bench.version).toBe("1.0.0");
	});

	test("a compressed one is inflated; all is erased first when wanted, at the slow speed", async () => {
		const bench = await serialBench();
		bench.board.flash.program(0x200000, Buffer.from("old files"));
		bench.board.powerOn();
		const page = await openPage(url, {}, async (page) => {
			await plugIn(page, bench);
		});
		await choose(page, gzipSync(FIRST), "firmware.bin.gz");
		await page.getByLabel("What else the flash holds").selectOption("all");
		await page.getByLabel("Speed").selectOption("115200");
		await flash(page);
		await says(page, "Done.");
		expect(Buffer.from(bench.get(0, FIRST.length)).equals(FIRST)).toBe(true);
		expect(Buffer.from(bench.get(0x200000, 9)).toString("hex")).toBe("ff".repeat(9));
	});

	test("with our boot loader in front its record is emptied", async () => {
		const bench = await serialBench();
		bench.board.flash.program(0x3fa000, Buffer.from("an update that was left unfinished"));
		bench.board.powerOn();
		const page = await openPage(url, {}, async (page) => {
			await plugIn(page, bench);
		});
		const own = withOwnBootLoader(FIRST);
		await choose(page, own);
		await flash(page);
		await says(page, "Done.");
		expect(Buffer.from(bench.get(0, own.length)).equals(own)).toBe(true);
		expect(Buffer.from(bench.get(0x3fa000, 34)).toString("hex")).toBe("ff".repeat(34));
	});

	test("a board that is unplugged is told", async () => {
		const bench = await serialBench();
		bench.board.powerOn();
		const port: { unplug?: () => Promise<void> } = {};
		const page = await openPage(url, {}, async (page) => {
			port.unplug = (await plugIn(page, bench)).unplug;
		});
		await choose(page, FIRST);
		await flash(page);
		await says(page, "Writing…");
		await port.unplug?.();
		await says(page, "Connection to this port lost");
		await page.getByRole("button", { name: "Connect and flash" }).isEnabled();
	});

	test.each([
		["no firmware", Buffer.from("no firmware"), "This is no firmware for the ESP8266"],
		["a part of one", FIRST.subarray(0, 4000), "This is only a part of a firmware"],
		["a damaged gzip", gzipSync(FIRST).subarray(0, 999), "This gzip is damaged"],
		[
			"a damaged boot loader",
			FIRST.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
			"This firmware is damaged",
		],
	])("%s is refused when it is chosen", async (_, content, reason) => {
		const page = await openPage(url);
		await choose(page, content);
		await says(page, reason);
	});

	test("a browser without Web Serial is named, with those that have it", async () => {
		const page = await openPage(url, {}, async (page) => {
			await page.addInitScript("delete Navigator.prototype.serial; delete navigator.serial;");
		});
		await says(page, "This browser has no Web Serial.");
		expect(await page.getByRole("button", { name: "Connect and flash" }).isDisabled()).toBe(true);
	});

	test("on a phone's width nothing is cut off", async () => {
		const page = await openPage(url, { viewport: { width: 320, height: 640 } });
		expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
	});
});
