/** CRC-32 as gzip has it (RFC 1952): polynomial 0xEDB88320 reflected, start and final xor 0xFFFFFFFF. */

/** Of four bits each, as integers to the engine. */
const TABLE: readonly number[] = Object.freeze([
	0, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, -0x12477ce0,
	-0xff06cbc, -0x29295c18, -0x349e4c74, -0x649b3d50, -0x792c2d2c, -0x5ff51d88, -0x42420de4,
]);

/** With the shape of the SDK's Digest. */
export class GzipCRC {
	private crc = -1;

	write(bytes: Uint8Array): void {
		let crc = this.crc;
		for (let i = 0; i < bytes.length; i++) {
			crc ^= bytes[i] ?? 0;
			crc = (crc >>> 4) ^ (TABLE[crc & 15] ?? 0);
			crc = (crc >>> 4) ^ (TABLE[crc & 15] ?? 0);
		}
		this.crc = crc;
	}

	/** Four bytes, the lowest first, as a gzip's trailer has them. */
	close(): ArrayBuffer {
		const view = new DataView(new ArrayBuffer(4));
		view.setUint32(0, ~this.crc, true);
		return view.buffer;
	}
}
