/** MD5 (RFC 1321) in the page: WebCrypto has none, and is not there at all on http://. */

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
/** Which word a step takes: `STRIDES[round] * step + STARTS[round]`, modulo 16. */
const STRIDES = [1, 5, 3, 7];
const STARTS = [0, 1, 5, 0];

/** The digest of `bytes` as 32 lower-case hexadecimal digits. */
export function md5(bytes: Uint8Array): string {
	const { length } = bytes;
	// Whole blocks of 64 bytes: the bytes, 0x80, zeros, and the length in bits.
	const padded = new Uint8Array((length + 72) & -64);
	padded.set(bytes);
	padded[length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setUint32(padded.length - 8, length << 3, true);
	view.setUint32(padded.length - 4, length >>> 29, true);
	const sines = SHIFTS.concat(SHIFTS, SHIFTS, SHIFTS).map(
		(_, i) => (Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0,
	);
	const digest = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
	const at = (list: ArrayLike<number>, i: number) => list[i] as number;
	for (let block = 0; block < padded.length; block += 64) {
		let [a, b, c, d] = digest as unknown as [number, number, number, number];
		for (let i = 0; i < 64; i++) {
			const round = i >> 4;
			const mix =
				round < 1
					? (b & c) | (~b & d)
					: round < 2
						? (d & b) | (~d & c)
						: round < 3
							? b ^ c ^ d
							: c ^ (b | ~d);
			const word = (at(STRIDES, round) * i + at(STARTS, round)) & 15;
			const sum = (a + mix + at(sines, i) + view.getInt32(block + word * 4, true)) | 0;
			const shift = at(SHIFTS, round * 4 + (i & 3));
			a = d;
			d = c;
			c = b;
			b += (sum << shift) | (sum >>> (32 - shift));
			b |= 0;
		}
		[a, b, c, d].forEach((value, i) => {
			digest[i] = at(digest, i) + value;
		});
	}
	return [...new Uint8Array(digest.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
