/**
 * The Arduino core's way (libraries/ArduinoOTA, cores/esp8266/Updater), for comparison: what is there is read into a
 * buffer of a sector, which is written when it is full, its sector erased just before; each piece is acknowledged;
 * MD5 on the way, nothing read back; then the boot loader's command.
 */
import { createHash } from "node:crypto";
import { ACTION_COPY_RAW, COMMAND_LENGTH, encodeCommand } from "../../ota/eboot";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { parseInvitation } from "../../ota/invitation";
import { chip } from "../virtual/chip";
import { MD5, NATIVE, timeOf } from "./figures";
import type { Machine } from "./machine";
import type { TcpEnd } from "./tcp";

const PORT = 8266;
const SECTOR = 4096;
/** Microseconds: delay(1) of both loops; delay(100) before it connects, and before the restart. */
const POLL = 1000;
const PAUSE = 100_000;
/** delay(1000) before and behind the result. */
const RESULT_PAUSE = 1_000_000;

const bytesOf = (message: string) => new TextEncoder().encode(message);

export class ArduinoCore {
	readonly #machine: Machine;
	readonly #onReceived: () => void;
	readonly #md5 = createHash("md5");
	readonly #buffer = new Uint8Array(SECTOR);
	#fill = 0;
	#taken = 0;
	/** Bytes that Update.write has taken since it was called. */
	#written = 0;

	/** Waits for an invitation. `onReceived`: all bytes are in the flash. */
	constructor(machine: Machine, onReceived: () => void) {
		this.#machine = machine;
		this.#onReceived = onReceived;
		const { board } = machine.network;
		board.udp.set(PORT, (message, from) => {
			const { port, size, md5 } = parseInvitation(message) ?? {};
			if (port === undefined || size === undefined || md5 === undefined) return;
			board.datagram(bytesOf("OK"), PORT, from);
			machine.cpu.after(PAUSE, () => {
				const end = board.connect(port);
				end.sender.nodelay = true;
				end.onConnected = () => machine.cpu.post(() => this.#turn(end, size, md5));
			});
		});
	}

	/** A turn of Update.write's loop, or of the one around it. */
	#turn(end: TcpEnd, size: number, md5: string): void {
		const { cpu } = this.#machine;
		const again = () => this.#turn(end, size, md5);
		const count = Math.min(end.receiver.available, SECTOR - this.#fill, size - this.#taken);
		if (count > 0) {
			const piece = this.#buffer.subarray(this.#fill, this.#fill + count);
			cpu.compute(timeOf(NATIVE * count));
			end.receiver.read(piece);
			this.#fill += count;
			this.#taken += count;
			this.#written += count;
			if (this.#fill === SECTOR || this.#taken === size) this.#program(size);
			if (this.#taken < size) {
				cpu.after(POLL, again);
				return;
			}
		}
		if (this.#written > 0) end.sender.write(bytesOf(`${this.#written}`));
		this.#written = 0;
		if (this.#taken < size) cpu.after(POLL, again);
		else this.#end(end, size, md5);
	}

	#program(size: number): void {
		const { cpu } = this.#machine;
		const bytes = this.#buffer.subarray(0, this.#fill);
		const address = this.#address(size) + this.#taken - this.#fill;
		cpu.compute(timeOf(MD5 * bytes.length));
		this.#md5.update(bytes);
		chip().flash.eraseSector(address);
		chip().flash.program(address, bytes);
		this.#fill = 0;
	}

	/** Right below the filesystem. */
	#address(size: number): number {
		const staging = chip().layout.get("nextota");
		if (!staging) throw new Error("a layout without a staging area");
		return staging.offset + staging.size - Math.ceil(size / SECTOR) * SECTOR;
	}

	#end(end: TcpEnd, size: number, md5: string): void {
		const { cpu } = this.#machine;
		this.#onReceived();
		const digest = this.#md5.digest("hex");
		if (digest !== md5) throw new UpdateError(ErrorCode.MD5, md5, digest);
		const command = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(command, {
			action: ACTION_COPY_RAW,
			source: this.#address(size),
			destination: 0,
			size,
		});
		chip().rtc.write(0, command);
		cpu.after(RESULT_PAUSE, () => {
			end.sender.write(bytesOf("OK"));
			cpu.after(RESULT_PAUSE + PAUSE, () => chip().restart());
		});
	}
}
