/**
 * The command block of eboot, the boot loader of the ESP8266 Arduino core: the first 128 bytes of RTC user
 * memory, 32 little-endian words: magic, action, 29 arguments, CRC of the 124 bytes before it.
 * Copy: argument 0 is the source, 1 the destination (flash offsets, both on a sector), 2 the size in bytes.
 */
import type { Board } from "./board";
import type { Staged } from "./boot";
import { CopyingStrategy } from "./copying-strategy";
import { ErrorCode, UpdateError } from "./errors";
import { bootImageFault, SECTOR } from "./image";

export const COMMAND_LENGTH = 128;
export const ACTION_COPY_RAW = 1;
export const ACTION_LOAD_APP = 0xffffffff;

const MAGIC = 0xeb001000;
const MAGIC_MASK = 0xfffff000;
const CRC_OFFSET = COMMAND_LENGTH - 4;

export interface EbootCommand {
	action: number;
	/** Copy: where the staged image lies, a flash offset. Load: the flash offset of the image to start. */
	source: number;
	/** Copy: where it goes, a flash offset. */
	destination: number;
	/** Copy: bytes, for a gzip the compressed ones. */
	size: number;
}

/** CRC-32/MPEG-2: polynomial 0x04C11DB7, start 0xFFFFFFFF, not reflected, no final xor. "123456789" gives 0x0376E6E7. */
export function crc32(bytes: Uint8Array, length = bytes.length): number {
	let crc = -1;
	for (let i = 0; i < length; i++) {
		crc ^= (bytes[i] ?? 0) << 24;
		for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
	}
	return crc >>> 0;
}

/** Fills `block` (at least 128 bytes) with a command; the arguments that it does not use are 0. */
export function encodeCommand(block: Uint8Array, command: EbootCommand): void {
	const view = new DataView(block.buffer, block.byteOffset, COMMAND_LENGTH);
	block.fill(0, 0, COMMAND_LENGTH);
	view.setUint32(0, MAGIC, true);
	view.setUint32(4, command.action, true);
	view.setUint32(8, command.source, true);
	view.setUint32(12, command.destination, true);
	view.setUint32(16, command.size, true);
	view.setUint32(CRC_OFFSET, crc32(block, CRC_OFFSET), true);
}

/** The command in `block` (at least 128 bytes), or undefined where eboot would see none (magic or CRC wrong). */
export function decodeCommand(block: Uint8Array): EbootCommand | undefined {
	const view = new DataView(block.buffer, block.byteOffset, COMMAND_LENGTH);
	if ((view.getUint32(0, true) & MAGIC_MASK) >>> 0 !== MAGIC) return undefined;
	if (view.getUint32(CRC_OFFSET, true) !== crc32(block, CRC_OFFSET)) return undefined;
	return {
		action: view.getUint32(4, true),
		source: view.getUint32(8, true),
		destination: view.getUint32(12, true),
		size: view.getUint32(16, true),
	};
}

/**
 * Boots through eboot: the boot loader copies the staged image over the running one. The command waits in RAM
 * until the restart, because the SDK's clock keeps its state in the same RTC memory (words 0 to 9).
 */
export class EbootStrategy extends CopyingStrategy {
	/** The function itself: what is called deep has no room for one more call. */
	override readonly firstSectorFault = bootImageFault;
	readonly inflates: boolean;
	#command: Uint8Array | undefined;

	/** `gzip`: whether the boot loader on the board inflates, as eboot does from Arduino core 2.7 on; true where not given. */
	constructor(board: Board, options: { gzip?: boolean } = {}) {
		super(board);
		this.inflates = options.gzip ?? true;
	}

	// Of the class, where they take no memory.
	get ownsHeader(): boolean {
		return true;
	}
	get fault(): undefined {
		return undefined;
	}
	get trial(): undefined {
		return undefined;
	}

	check({ address, size, inflated, destination, room }: Staged): void {
		const length = inflated ?? size;
		if (length > room) throw new UpdateError(ErrorCode.SPACE);
		// What is inflated must not overtake what is still to be read, nor an incompressible end of it.
		const lead = inflated === undefined ? 0 : length - size + (length >> 9) + SECTOR;
		const isApart = address >= destination + length || address < destination;
		if (!isApart && lead > address - destination) throw new UpdateError(ErrorCode.SPACE);
	}

	select({ address: source, size, destination }: Staged): void {
		const command = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(command, { action: ACTION_COPY_RAW, source, destination, size });
		this.#command = command;
	}

	clear(): void {
		this.#command = undefined;
	}

	restart(): never {
		if (this.#command) this.board.handOver(this.#command);
		this.board.restart();
	}
}
