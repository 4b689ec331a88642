/**
 * The mask ROM after a reset: prints the cause, loads the image at flash 0 and checks it, as it prints on the
 * serial line at 74880 baud. It hangs on a damaged image.
 */
import { CHECKSUM_START, HEADER_LENGTH, IMAGE_MAGIC, imageEnd, SEGMENT_HEADER_LENGTH } from "../../ota/image";
import { Memory } from "./memory";
import type { NorFlash } from "./nor";
import type { Outcome, ResetCause } from "./outcome";
import { RomFlash } from "./rom-flash";
import { hex8, hex32, type Print, printf } from "./uart";

/** The ROM moves an image through a buffer of this many bytes; "room" and "tail" are what is left in it. */
const LINE = 16;

/** Strapping pins read at a reset from outside: start from flash, or load through the serial line. */
export const BOOT_MODE_FLASH = 3;
export const BOOT_MODE_SERIAL = 1;

export interface RomOptions {
	flash: NorFlash;
	print: Print;
	/** None where there was no reset: a program in RAM has jumped here. */
	cause: ResetCause | undefined;
}

/** What the ROM says first after a reset. `bootMode` is the strapping: 3 goes on from flash, 1 from the serial line. */
export function printReset(print: Print, cause: ResetCause, bootMode: number): void {
	printf(print, `\n ets Jan  8 2013,rst cause:${cause}, boot mode:(${bootMode},6)\n\n`);
}

/** Runs the ROM up to the jump into the boot loader. Throws PowerCut where the flash has no power. */
export function runROM(options: RomOptions): Outcome {
	const { print, cause } = options;
	if (cause !== undefined) printReset(print, cause, BOOT_MODE_FLASH);
	const flash = new RomFlash(options.flash);
	const header = view(flash.read(0, HEADER_LENGTH));
	const magic = header?.getUint8(0);
	if (!header || magic !== IMAGE_MAGIC) {
		return hang(print, `no boot loader: flash 0 holds ${hex8(magic ?? 0)}, not ${hex8(IMAGE_MAGIC)}`);
	}
	const memory = new Memory();
	let position = HEADER_LENGTH;
	let checksum = CHECKSUM_START;
	for (let i = 0; i < header.getUint8(1); i++) {
		const segment = view(flash.read(position, SEGMENT_HEADER_LENGTH));
		if (!segment) return hang(print, "boot loader cut short");
		position += SEGMENT_HEADER_LENGTH;
		const address = segment.getUint32(0, true);
		const length = segment.getUint32(4, true);
		const room = i === 0 ? LINE : (LINE - (position % LINE)) % LINE;
		printf(print, `load 0x${hex32(address)}, len ${length | 0}, room ${room} \n`);
		const data = flash.read(position, length)?.subarray(0, length);
		if (!data || data.length !== length || memory.exception(address, length) !== undefined) {
			return hang(print, `boot loader segment of ${length} bytes for 0x${hex32(address)}`);
		}
		memory.store(address, data);
		for (const byte of data) checksum ^= byte;
		printf(print, `tail ${Math.max(0, length - room) % LINE}\nchksum ${hex8(checksum)}\n`);
		position += length;
	}
	const expected = flash.read(imageEnd(position) - 4, 4)?.[3] ?? 0;
	printf(print, `csum ${hex8(expected)}\n`);
	if (expected !== checksum) {
		printf(print, "csum err\n");
		return hang(print, `boot loader checksum is ${hex8(checksum)}, its image says ${hex8(expected)}`);
	}
	return { kind: "jump", entry: header.getUint32(4, true), memory };
}

/** The name of its source is all that the ROM prints before it spins. */
function hang(print: Print, reason: string): Outcome {
	printf(print, "ets_main.c \n");
	return { kind: "hang", reason };
}

function view(bytes: Uint8Array | undefined): DataView | undefined {
	return bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
