/** Small applications in the XS engine's host, by itself: no board, no boot loader. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Resource } from "../virtual/modules";
import { type Fault, NorControl } from "../virtual/nor";
import { CONTROL_LENGTH } from "../virtual/nor-control";
import { FileWords } from "../virtual/words";
import { encodeContainer, type Peaks } from "../virtual/xs-engine";
import { xsProgram } from "./engines";

export interface Part {
	name: string;
	source: string;
	preload?: boolean;
}

interface HostOptions {
	faults?: readonly Fault[];
	/** The board has no power. */
	unpowered?: boolean;
	/** What the flash begins with; the rest is erased. */
	header?: Uint8Array;
	/** More of the command line. */
	options?: readonly string[];
}

interface Event {
	listening?: { protocol: string; port: number };
	advertise?: unknown;
	peaks?: Peaks;
}

export interface Host {
	readonly child: ChildProcess;
	/** The UART so far. */
	uart(): string;
	events(): Event[];
	/** Waits until the UART has this text. */
	says(text: string): Promise<void>;
	/** Waits for a socket's port. */
	listening(): Promise<number>;
	/** The exit code, and all that was told until then. */
	ended(): Promise<{ exit: number | null; uart: string; peaks: Peaks | undefined; stderr: string }>;
	/** Words of the control file. */
	readonly control: NorControl;
	/** What the flash's file holds. */
	flash(address: number, length: number): Uint8Array;
}

export const FLASH_SIZE = 0x100000;
const PATIENCE = 5000;

/** The file that the host reads. */
export function container(parts: readonly Part[], resources: readonly Resource[] = []): Buffer {
	const modules = parts.map(({ name, source, preload = false }) => ({ name, source, preload }));
	return encodeContainer(modules, resources);
}

/** Starts modules, or the body of main alone. It ends with the test. */
export function start(application: string | readonly Part[] | Buffer, options: HostOptions = {}): Host {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-host-"));
	const path = (name: string) => join(folder, name);
	const parts = typeof application === "string" ? [main(application)] : application;
	writeFileSync(path("application"), Buffer.isBuffer(parts) ? parts : container(parts));
	const flash = Buffer.alloc(FLASH_SIZE, 0xff);
	flash.set(options.header ?? []);
	writeFileSync(path("flash"), flash);
	writeFileSync(path("rtc"), Buffer.alloc(512));
	const words = new FileWords(path("control"), CONTROL_LENGTH);
	const control = NorControl.create(1, words);
	for (const fault of options.faults ?? []) control.arm(fault);
	if (options.unpowered) control.powerOff();
	const files = ["flash", "rtc", "control", "application"].flatMap((name) => [`--${name}`, path(name)]);
	const child = spawn(xsProgram, [...files, ...(options.options ?? [])], {
		stdio: ["ignore", "pipe", "pipe", "pipe"],
	});
	let uart = "";
	let stderr = "";
	let lines = "";
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		uart += text;
	});
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	(child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => {
		lines += text;
	});
	const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
	onTestFinished(async () => {
		child.kill("SIGKILL");
		await closed;
		words.close();
		rmSync(folder, { recursive: true });
	});
	const events = () =>
		lines
			.split("\n")
			.slice(0, -1)
			.map((line) => JSON.parse(line) as Event);
	const until = async (condition: () => boolean) => {
		for (const deadline = Date.now() + PATIENCE; !condition(); await pause(2)) {
			if (Date.now() > deadline || child.exitCode !== null)
				throw new Error(`waited in vain: ${uart}${stderr}`);
		}
	};
	return {
		child,
		control,
		uart: () => uart,
		events,
		says: (text) => until(() => uart.includes(text)),
		async listening() {
			await until(() => events().some((event) => event.listening));
			return events().find((event) => event.listening)?.listening?.port ?? 0;
		},
		async ended() {
			const exit = await closed;
			return { exit, uart, stderr, peaks: events().find((event) => event.peaks)?.peaks };
		},
		flash(address, length) {
			const bytes = new Uint8Array(length);
			const fd = openSync(path("flash"), "r");
			readSync(fd, bytes, 0, length, address);
			closeSync(fd);
			return bytes;
		},
	};
}

/** A main module with these imports in front and this body. */
export function main(body: string, imports = ""): Part {
	return { name: "main", source: `${imports}\nexport default function main() {${body}\n}` };
}

/** Modules of the SDK for a body, each by its usual name. */
export const IMPORTS = `
	import Timer from "timer";
	import { Digest } from "crypt";
	import TCP from "embedded:io/socket/tcp";
	import UDP from "embedded:io/socket/udp";
	import Listener from "embedded:io/socket/listener";`;

/** What the body wrote until it said "end". */
export async function output(body: string, ...more: readonly Part[]): Promise<string> {
	const host = start([main(`${body}\ntrace("end");`, IMPORTS), ...more]);
	await host.says("end");
	return host.uart().slice(0, -3);
}
