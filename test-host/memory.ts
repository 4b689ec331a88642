/**
 * `npm run memory`: what an update takes of the device's memory at most, measured in the XS engine, a line for
 * each receiver; writes the table into DESIGN.md.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { upload } from "../tools/espota";
import { Uploader } from "./tests/uploader";
import { root } from "./virtual/bundle";
import { makeFirmware } from "./virtual/firmware";
import type { Settings } from "./virtual/modules";
import { VirtualBoard } from "./virtual/virtual-board";
import { type Peaks, XsEngine } from "./virtual/xs-engine";

/** What must be left for the application: bytes of the block never used, slots of the stack. */
export const RESERVE = Object.freeze({ unused: 8192, stack: 64 });
const BLOCK = 32_768;
export const STACK = 256;
/** As large as a firmware with the usual modules. */
const IMAGE_SIZE = 600_000;

export interface Scenario {
	name: string;
	settings: Settings;
	/** Sends the image to the board at this UDP port. */
	send(port: number, image: Uint8Array): Promise<unknown>;
}

const PASSWORD = "open sesame";

async function sendAsEspota(port: number, image: Uint8Array): Promise<void> {
	const uploader = await Uploader.start(port, image);
	await uploader.invite(PASSWORD);
	await uploader.upload();
	uploader.close();
}

export const scenarios: readonly Scenario[] = [
	{ name: "ArduinoOTA, no password", settings: {}, send: sendAsEspota },
	{ name: "ArduinoOTA, espota's password", settings: { otaPassword: PASSWORD }, send: sendAsEspota },
	{
		name: "ArduinoOTA, strong authentication",
		settings: { otaPassword: PASSWORD },
		send: (port, image) => upload({ host: "127.0.0.1", port, image, password: PASSWORD }),
	},
];

/** The peaks of a run in which an update of 600,000 bytes came in and was handed over. */
export async function measure({ settings, send }: Scenario): Promise<Peaks> {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-memory-"));
	let port: (port: number) => void = () => {};
	let measured: (peaks: Peaks) => void = () => {};
	const listening = new Promise<number>((resolve) => {
		port = resolve;
	});
	const peaks = new Promise<Peaks>((resolve) => {
		measured = resolve;
	});
	const board = new VirtualBoard({
		flashFile: join(folder, "flash"),
		engine: new XsEngine(join(root, "dist/xs-host"), measured),
		settings: { otaPort: 0, dnssd: false, ...settings },
		onUART: () => {},
		onListening: (_protocol, number) => port(number),
	});
	try {
		board.flashByCable(await makeFirmware({ version: "1.0.0" }));
		board.powerOn();
		const image = await makeFirmware({ version: "2.0.0", padTo: IMAGE_SIZE });
		await send(await listening, image);
		return await peaks;
	} finally {
		await board.close();
		rmSync(folder, { recursive: true });
	}
}

/** Rows of Markdown. */
export function memoryTable(rows: readonly (readonly [Scenario, Peaks])[]): string {
	const lines = rows.map(([{ name }, { chunks, slots, stack, unused }]) => {
		const used = BLOCK - unused;
		return `| ${[name, chunks, slots, stack, used, unused].join(" | ")} |`;
	});
	return [
		"| receiver | chunks, bytes | slots of 16 bytes | stack, of 256 slots | used of 32,768 | never used |",
		"| --- | --- | --- | --- | --- | --- |",
		...lines,
	].join("\n");
}

if (process.argv[1] === import.meta.filename) {
	const rows: [Scenario, Peaks][] = [];
	for (const scenario of scenarios) rows.push([scenario, await measure(scenario)]);
	const table = memoryTable(rows);
	const file = join(root, "DESIGN.md");
	const text = readFileSync(file, "utf8");
	writeFileSync(file, text.replace(/(<!-- memory -->\n)[\s\S]*?(<!-- \/memory -->)/, `$1${table}\n$2`));
	process.stdout.write(`${table}\n`);
}
