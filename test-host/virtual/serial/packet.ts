/**
 * Requests and responses of the serial loaders, by Espressif's description of the protocol ("Serial Protocol" in
 * esptool's documentation). Numbers are little-endian.
 */

/** Commands, by their number. Those from ERASE_FLASH on only the stub has, as those from SPI_SET_PARAMS to MD5. */
export const Command = Object.freeze({
	FLASH_BEGIN: 0x02,
	FLASH_DATA: 0x03,
	FLASH_END: 0x04,
	MEM_BEGIN: 0x05,
	MEM_END: 0x06,
	MEM_DATA: 0x07,
	SYNC: 0x08,
	WRITE_REG: 0x09,
	READ_REG: 0x0a,
	SPI_SET_PARAMS: 0x0b,
	SPI_ATTACH: 0x0d,
	CHANGE_BAUDRATE: 0x0f,
	FLASH_DEFL_BEGIN: 0x10,
	FLASH_DEFL_DATA: 0x11,
	FLASH_DEFL_END: 0x12,
	SPI_FLASH_MD5: 0x13,
	ERASE_FLASH: 0xd0,
	ERASE_REGION: 0xd1,
	READ_FLASH: 0xd2,
	RUN_USER_CODE: 0xd3,
} as const);

const HEADER_LENGTH = 8;
/** What a *_DATA command has before its data: length, sequence number, two words of zero. */
const DATA_HEADER_LENGTH = 16;
const CHECKSUM_START = 0xef;

export interface Request {
	readonly command: number;
	/** Of a *_DATA command's data. */
	readonly checksum: number;
	readonly body: Uint8Array;
	/** The body's whole words. */
	readonly words: readonly number[];
	/** The body is as long as the header says. */
	readonly whole: boolean;
}

/** Undefined where the packet is no request. */
export function decodeRequest(packet: Uint8Array): Request | undefined {
	if (packet.length < HEADER_LENGTH || packet[0] !== 0) return undefined;
	const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
	const body = packet.subarray(HEADER_LENGTH);
	const words: number[] = [];
	for (let at = HEADER_LENGTH; at + 4 <= packet.length && words.length < 8; at += 4) {
		words.push(view.getUint32(at, true));
	}
	return {
		command: view.getUint8(1),
		checksum: view.getUint32(4, true),
		body,
		words,
		whole: body.length === view.getUint16(2, true),
	};
}

/** A response: `value` is what READ_REG read, `data` ends with the two bytes of the status. */
export function encodeResponse(command: number, value: number, data: Uint8Array): Uint8Array {
	const packet = new Uint8Array(HEADER_LENGTH + data.length);
	const view = new DataView(packet.buffer);
	view.setUint8(0, 1);
	view.setUint8(1, command);
	view.setUint16(2, data.length, true);
	view.setUint32(4, value, true);
	packet.set(data, HEADER_LENGTH);
	return packet;
}

/** The data of a *_DATA command. "length" or "checksum": it is not what the command says. */
export function dataOf({ body, words, checksum }: Request): Uint8Array | "length" | "checksum" {
	const data = body.subarray(DATA_HEADER_LENGTH);
	if (body.length < DATA_HEADER_LENGTH || words[0] !== data.length) return "length";
	return (checksum & 0xff) === checksumOf(data) ? data : "checksum";
}

/** The sum of all bytes by xor, from EF on. */
export function checksumOf(data: Uint8Array): number {
	return data.reduce((sum, byte) => sum ^ byte, CHECKSUM_START);
}
