/**
 * Runs the application in the real XS engine, with the device's memory: a process a run, on the same flash
 * file. `npm run build:xs` makes the program.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { publish, type Service } from "../shims/dnssd";
import type { Engine, EngineEvents, EngineStart, Run } from "./engine";
import type { Module, Resource } from "./modules";
import { NorControl } from "./nor";
import { CONTROL_LENGTH } from "./nor-control";
import { RTC_LENGTH, type RtcMemory } from "./rtc";
import { FileWords } from "./words";

/** What a run took of the device's memory at most. */
export interface Peaks {
	/** Bytes of chunks: buffers, strings, code made at run time. */
	chunks: number;
	/** Slots of 16 bytes. */
	slots: number;
	/** Slots of the stack. */
	stack: number;
	/** Bytes of the 32,768 that were never used. */
	unused: number;
	/** The engine's count of what it executed. */
	meter: number;
}

type Event =
	| { listening: { protocol: "udp" | "tcp"; port: number } }
	| { advertise: Service }
	| { peaks: Peaks };

const PRELOAD = 1;
const RESOURCE = 2;

export class XsEngine implements Engine {
	readonly #program: string;
	readonly #folder = mkdtempSync(join(tmpdir(), "ota8266-xs-"));
	readonly #words = new FileWords(join(this.#folder, "control"), CONTROL_LENGTH);
	readonly #onPeaks: ((peaks: Peaks) => void) | undefined;

	/** `program`: the file that `npm run build:xs` makes. `onPeaks` is told when a run ends. */
	constructor(program: string, onPeaks?: (peaks: Peaks) => void) {
		this.#program = program;
		this.#onPeaks = onPeaks;
	}

	createControl(): NorControl {
		return NorControl.create(1, this.#words);
	}

	run(start: EngineStart, events: EngineEvents): Run {
		const { flashFile, imageAddress, mac, bootMode, resetReason, rtc, mdns } = start;
		const path = (name: string) => join(this.#folder, name);
		writeFileSync(path("application"), encodeContainer(start.modules, start.resources));
		writeFileSync(path("rtc"), readRTC(rtc));
		const address = Buffer.from(mac)
			.toString("hex")
			.replace(/..(?!$)/g, "$&:");
		const child = spawn(
			this.#program,
			[
				...[
					"--flash",
					flashFile,
					"--running",
					String(imageAddress),
					"--rtc",
					path("rtc"),
					"--control",
					path("control"),
				],
				...["--application", path("application"), "--mac", address],
				...["--boot-mode", String(bootMode), "--reset-reason", resetReason],
			],
			{ stdio: ["ignore", "pipe", "inherit", "pipe"] },
		);
		let stopped = false;
		const withdraw: (() => void)[] = [];
		const decoder = new TextDecoder();
		child.stdout?.on("data", (bytes: Uint8Array) => {
			if (!stopped) events.onUART(decoder.decode(bytes, { stream: true }));
		});
		createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
			const event = JSON.parse(line) as Event;
			if ("peaks" in event) this.#onPeaks?.(event.peaks);
			else if (stopped) return;
			else if ("advertise" in event) withdraw.push(publish(mdns, event.advertise));
			else events.onListening(event.listening.protocol, event.listening.port);
		});
		// "close" comes when all that it wrote has been read, "exit" may come before.
		const closed = new Promise<void>((resolve) => {
			child.on("error", (error) => {
				events.onUART(`${error.message}\n`);
				resolve();
			});
			child.on("close", (code) => {
				for (const end of withdraw) end();
				if (!stopped) {
					rtc.write(0, new Uint8Array(readFileSync(path("rtc"))));
					events.onExit(code ?? 1);
				}
				resolve();
			});
		});
		return {
			async stop() {
				stopped = true;
				child.kill("SIGKILL");
				await closed;
				rtc.write(0, new Uint8Array(readFileSync(path("rtc"))));
			},
		};
	}

	close(): void {
		this.#words.close();
		rmSync(this.#folder, { recursive: true });
	}
}

function readRTC(rtc: RtcMemory): Uint8Array {
	const bytes = new Uint8Array(RTC_LENGTH);
	rtc.read(0, bytes);
	return bytes;
}

/** What the host reads: the modules, then the resources. */
export function encodeContainer(modules: readonly Module[], resources: readonly Resource[]): Buffer {
	return Buffer.concat([
		...modules.map(({ name, preload, source }) =>
			encodePart(preload ? PRELOAD : 0, name, Buffer.from(source)),
		),
		...resources.map(({ name, bytes }) => encodePart(RESOURCE, name, bytes)),
	]);
}

/** Flags, name length (2 bytes), content length (4 bytes), name, content. */
function encodePart(flags: number, name: string, content: Uint8Array): Buffer {
	const text = Buffer.from(name);
	const header = Buffer.alloc(7);
	header.writeUInt8(flags, 0);
	header.writeUInt16LE(text.length, 1);
	header.writeUInt32LE(content.length, 3);
	return Buffer.concat([header, text, content]);
}
