/**
 * eboot of the ESP8266 Arduino core 3.x, which lives in flash sector 0 and runs after every reset: carries out
 * the command in RTC memory, then loads the application. It verifies nothing.
 */
import {
	ACTION_COPY_RAW,
	ACTION_LOAD_APP,
	COMMAND_LENGTH,
	decodeCommand,
	type EbootCommand,
} from "../../ota/eboot";
import { APPLICATION_OFFSET, HEADER_LENGTH, isLoaded, SEGMENT_HEADER_LENGTH } from "../../ota/image";
import { CopyHang, CopyResult, copyRaw } from "./eboot-copy";
import { Memory } from "./memory";
import type { NorFlash } from "./nor";
import { type Outcome, ResetCause } from "./outcome";
import { RomFlash } from "./rom-flash";
import type { RtcMemory } from "./rtc";
import { hex32, type Print, printException, printf } from "./uart";

/** The first word of the application's first segment: the Arduino packer puts the file's length there. */
const VERSION_OFFSET = APPLICATION_OFFSET + HEADER_LENGTH + SEGMENT_HEADER_LENGTH;
const CRC_OFFSET = COMMAND_LENGTH - 4;
/** Where eboot runs: it does not survive a segment that is loaded over it. */
const EBOOT_ADDRESS = 0x4010f000;
/** What it returns with where it did nothing of what it was told. */
const UNKNOWN_ACTION = 9;

export interface EbootOptions {
	flash: NorFlash;
	rtc: RtcMemory;
	print: Print;
}

/** Runs eboot up to its end. Throws PowerCut where the flash loses its power. */
export function runEboot(options: EbootOptions): Outcome {
	const { rtc, print } = options;
	const flash = new RomFlash(options.flash);
	const version = flash.read(VERSION_OFFSET, 4);
	if (version) printf(print, `v${hex32(words(version).getUint32(0, true))}\n`);

	const command = readCommand(rtc);
	print(command ? "@" : "~");
	let result = UNKNOWN_ACTION;
	let load = command ? undefined : 0;
	if (command?.action === ACTION_LOAD_APP) load = command.source;
	if (command?.action === ACTION_COPY_RAW) {
		printf(print, "cp:");
		try {
			result = copyRaw(flash, command, print);
		} catch (error) {
			if (error instanceof CopyHang) return { kind: "hang", reason: error.message };
			throw error;
		}
		printf(print, `${result}\n`);
		if (result === CopyResult.OK) load = command.destination;
	}
	// Only now: a reset during the copy finds the command again, and repeats it.
	if (command) clearCommand(rtc);

	if (load !== undefined) {
		printf(print, "ld\n");
		const loaded = loadApplication(flash, load, print);
		if (typeof loaded !== "number") return loaded;
		result = loaded;
		printf(print, `e:${result}\n`);
	}
	return { kind: "reset", cause: ResetCause.RESET, reason: `boot loader error ${result}` };
}

function readCommand(rtc: RtcMemory): EbootCommand | undefined {
	const block = new Uint8Array(COMMAND_LENGTH);
	rtc.read(0, block);
	return decodeCommand(block);
}

function clearCommand(rtc: RtcMemory): void {
	const zero = new Uint8Array(4);
	rtc.write(0, zero);
	rtc.write(CRC_OFFSET, zero);
}

/** Loads the image behind the sector at `address`, neither magic nor checksum checked; a number is eboot's error. */
function loadApplication(flash: RomFlash, address: number, print: Print): Outcome | number {
	let position = (address + APPLICATION_OFFSET) >>> 0;
	const header = flash.read(position, HEADER_LENGTH);
	if (!header) return 1;
	position += HEADER_LENGTH;
	const memory = new Memory();
	for (let left = words(header).getUint8(1); left > 0; left--) {
		const segment = flash.read(position >>> 0, SEGMENT_HEADER_LENGTH);
		if (!segment) return 2;
		const target = words(segment).getUint32(0, true);
		const length = words(segment).getUint32(4, true);
		position = (position + SEGMENT_HEADER_LENGTH) >>> 0;
		if (isLoaded(target)) {
			const fault = loadSegment(flash, position, target, length, memory, print);
			if (fault) return fault;
		}
		position = (position + length) >>> 0;
	}
	return { kind: "jump", entry: words(header).getUint32(4, true), memory };
}

/** Loads one segment; what is returned is the end of the boot. */
function loadSegment(
	flash: RomFlash,
	position: number,
	target: number,
	length: number,
	memory: Memory,
	print: Print,
): Outcome | 3 | undefined {
	// Looked at before the read: with a damaged length it would be up to 2 GiB.
	const stored = (position + length) >>> 0 > 0x400000 || (length | 0) < 1 ? 0 : 4 * Math.ceil(length / 4);
	const exception = memory.exception(target, stored);
	if (exception !== undefined) {
		printException(print, exception, EBOOT_ADDRESS, target);
		const reason = `exception ${exception} while loading ${length} bytes to 0x${hex32(target)}`;
		return { kind: "reset", cause: ResetCause.WATCHDOG, reason };
	}
	const data = flash.read(position, length);
	if (!data) return 3;
	memory.store(target, data);
	if (target < EBOOT_ADDRESS && target + data.length > EBOOT_ADDRESS) {
		return { kind: "hang", reason: "the application was loaded over the boot loader" };
	}
	return undefined;
}

function words(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
