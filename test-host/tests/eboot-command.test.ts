import fc from "fast-check";
import { expect, test } from "vitest";
import {
	ACTION_COPY_RAW,
	ACTION_LOAD_APP,
	COMMAND_LENGTH,
	crc32,
	decodeCommand,
	encodeCommand,
} from "../../ota/eboot";

const word = fc.nat(0xffffffff);

function block(action = ACTION_COPY_RAW, source = 0x1b6000, destination = 0, size = 300_000): Uint8Array {
	const bytes = new Uint8Array(COMMAND_LENGTH);
	encodeCommand(bytes, { action, source, destination, size });
	return bytes;
}

const words = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);

test("the CRC of the text 123456789 is 0376E6E7, the check value of CRC-32/MPEG-2", () => {
	expect(crc32(new TextEncoder().encode("123456789"))).toBe(0x0376e6e7);
});

test("the CRC of nothing is FFFFFFFF", () => {
	expect(crc32(new Uint8Array(0))).toBe(0xffffffff);
});

test("the CRC of the first bytes leaves the others out", () => {
	expect(crc32(new TextEncoder().encode("123456789abc"), 9)).toBe(0x0376e6e7);
});

test("copy 1B6000 to 0, 300,000 bytes, has the CRC that eboot computes: 540B70C5", () => {
	expect(words(block()).getUint32(124, true)).toBe(0x540b70c5);
});

test("magic, action and arguments lie in words 0 to 4, the unused arguments are 0", () => {
	const view = words(block());
	expect([0, 1, 2, 3, 4].map((i) => view.getUint32(4 * i, true))).toEqual([
		0xeb001000, 1, 0x1b6000, 0, 300_000,
	]);
	for (let i = 5; i < 31; i++) expect(view.getUint32(4 * i, true)).toBe(0);
});

test("encoding leaves what lies behind the block alone", () => {
	const bytes = new Uint8Array(COMMAND_LENGTH + 4).fill(0x55);
	encodeCommand(bytes, { action: ACTION_LOAD_APP, source: 0, destination: 0, size: 0 });
	expect(bytes.subarray(COMMAND_LENGTH)).toEqual(new Uint8Array(4).fill(0x55));
});

test("property: what is encoded is decoded, wherever in a buffer the block lies", () => {
	fc.assert(
		fc.property(word, word, word, word, fc.nat(16), (action, source, destination, size, offset) => {
			const bytes = new Uint8Array(COMMAND_LENGTH + 16).subarray(offset);
			encodeCommand(bytes, { action, source, destination, size });
			expect(decodeCommand(bytes)).toEqual({ action, source, destination, size });
		}),
	);
});

test("property: one flipped bit, and there is no command, but in the magic's low 12 bits, whose CRC is then wrong too", () => {
	fc.assert(
		fc.property(fc.nat(8 * COMMAND_LENGTH - 1), (bit) => {
			const bytes = block();
			bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
			expect(decodeCommand(bytes)).toBeUndefined();
		}),
	);
});

test("the magic's low 12 bits do not count where the CRC is right", () => {
	const bytes = block();
	words(bytes).setUint32(0, 0xeb001abc, true);
	words(bytes).setUint32(124, crc32(bytes, 124), true);
	expect(decodeCommand(bytes)?.source).toBe(0x1b6000);
});

test("another magic is no command, its CRC right or not", () => {
	const bytes = block();
	words(bytes).setUint32(0, 0xeb002000, true);
	words(bytes).setUint32(124, crc32(bytes, 124), true);
	expect(decodeCommand(bytes)).toBeUndefined();
});

test("erased memory and zeros are no command", () => {
	expect(decodeCommand(new Uint8Array(COMMAND_LENGTH))).toBeUndefined();
	expect(decodeCommand(new Uint8Array(COMMAND_LENGTH).fill(0xff))).toBeUndefined();
});
