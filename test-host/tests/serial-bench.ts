/** A virtual board with its serial line: on TCP, as tools reach it, and by packets. */
import { onTestFinished } from "vitest";
import { Command, checksumOf } from "../virtual/serial/packet";
import { SerialLoader } from "../virtual/serial/serial-loader";
import { SerialServer } from "../virtual/serial/serial-server";
import { SlipDecoder, slipFrame } from "../virtual/serial/slip";
import type { Next } from "../virtual/serial/status";
import { BoardBench, type BoardBenchOptions } from "./board-bench";
import { temporaryFlash } from "./temporary-flash";

export const MAC = Uint8Array.of(0x18, 0xfe, 0x34, 0xaa, 0xbb, 0xcc);

export interface SerialBench extends BoardBench {
	/** host:port of its serial line. */
	line: string;
	/** What one line's end would see; the server's bytes. */
	server: SerialServer;
}

/** A board whose UART is on a TCP port; not powered yet. */
export async function serialBench(options: BoardBenchOptions = {}): Promise<SerialBench> {
	const server = new SerialServer();
	const bench = new BoardBench({ mac: MAC, ...options, onSerial: (bytes) => server.send(bytes) });
	const port = await server.listen(bench.board, 0);
	onTestFinished(() => server.close());
	return Object.assign(bench, { line: `127.0.0.1:${port}`, server });
}

/** A board that waits in its serial loader, with nothing in its flash. */
export async function loadingBench(options: BoardBenchOptions = {}): Promise<SerialBench> {
	const bench = await serialBench(options);
	bench.board.flashButton = true;
	bench.board.powerOn();
	bench.board.flashButton = false;
	await bench.printed("boot mode:(1,");
	return bench;
}

export interface Response {
	command: number;
	value: number;
	/** In front of the status. */
	data: Uint8Array;
	/** Its two bytes, as hexadecimal. */
	status: string;
}

const words = (...values: readonly number[]): Uint8Array => {
	const view = new DataView(new ArrayBuffer(4 * values.length));
	values.forEach((value, i) => {
		view.setUint32(4 * i, value, true);
	});
	return new Uint8Array(view.buffer);
};

/** The loader by itself, over a flash of 1 MiB where the test does not say. */
export class LoaderBench {
	readonly flash;
	readonly loader: SerialLoader;
	readonly sent: Uint8Array[] = [];
	ended: Next | undefined;

	constructor(size = 0x100000) {
		this.flash = temporaryFlash({ size });
		const decoder = new SlipDecoder(0x10000);
		this.loader = new SerialLoader({
			flash: this.flash,
			mac: MAC,
			send: (bytes) => this.sent.push(...decoder.push(bytes)),
			onEnd: (next) => {
				this.ended = next;
			},
		});
	}

	/** One that has been synchronized. */
	static async synchronized(size?: number): Promise<LoaderBench> {
		const bench = new LoaderBench(size);
		await bench.command(Command.SYNC, Buffer.from(`07071220${"55".repeat(32)}`, "hex"));
		return bench;
	}

	/** One in which a stub runs. */
	static async stub(size?: number): Promise<LoaderBench> {
		const bench = await LoaderBench.synchronized(size);
		const stub = Buffer.from("a program of four words that says OHAI");
		await bench.command(Command.MEM_BEGIN, words(stub.length, 1, 0x1800, 0x4010e000));
		await bench.data(Command.MEM_DATA, 0, stub);
		await bench.command(Command.MEM_END, words(0, 0x4010e004));
		return bench;
	}

	/** Sends bytes as they are; the packets that come back. */
	async raw(bytes: Uint8Array): Promise<Uint8Array[]> {
		this.sent.length = 0;
		await this.loader.receive(bytes);
		return this.sent.splice(0);
	}

	/** Sends a request; what is answered. `size` where the header is to lie. */
	async command(
		command: number,
		body: Uint8Array | readonly number[] = [],
		{ checksum = 0, size }: { checksum?: number; size?: number } = {},
	): Promise<Response[]> {
		const bytes = body instanceof Uint8Array ? body : words(...body);
		const header = Buffer.alloc(8);
		header.writeUInt8(command, 1);
		header.writeUInt16LE(size ?? bytes.length, 2);
		header.writeUInt32LE(checksum, 4);
		const packets = await this.raw(slipFrame(Buffer.concat([header, bytes])));
		return packets.filter((packet) => packet.length >= 10).map(decodeResponse);
	}

	/** The status of the one answer to a request. */
	async status(command: number, body: Uint8Array | readonly number[] = []): Promise<string> {
		const [response] = await this.command(command, body);
		return response?.status ?? "none";
	}

	/** Sends a *_DATA command; the status. */
	async data(
		command: number,
		sequence: number,
		data: Uint8Array,
		{ checksum = checksumOf(data), length = data.length }: { checksum?: number; length?: number } = {},
	): Promise<string> {
		const body = Buffer.concat([words(length, sequence, 0, 0), data]);
		const [response] = await this.command(command, body, { checksum });
		return response?.status ?? "none";
	}

	async readRegister(address: number): Promise<number> {
		const [response] = await this.command(Command.READ_REG, [address]);
		return response?.value ?? -1;
	}

	get(address: number, length: number): Buffer {
		const bytes = Buffer.alloc(length);
		this.flash.read(address, bytes);
		return bytes;
	}
}

function decodeResponse(packet: Uint8Array): Response {
	const bytes = Buffer.from(packet);
	return {
		command: bytes.readUInt8(1),
		value: bytes.readUInt32LE(4),
		data: bytes.subarray(8, -2),
		status: bytes.subarray(-2).toString("hex"),
	};
}
