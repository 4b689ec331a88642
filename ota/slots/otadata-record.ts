/**
 * Which slot boots, by the ESP8266_RTOS_SDK: two sectors with a record of 32 bytes each, of which the one with the
 * larger sequence counts: slot (sequence - 1) modulo the number of slots. Bytes: sequence (32 bits, little-endian),
 * label (24), CRC of the sequence's four. The last four of the label are ESP-IDF's state of the image.
 */
export const RECORD_LENGTH = 32;
/** First byte of the label, which nobody else uses: 0 once the application has started. */
export const STARTED_OFFSET = 4;
const STATE_OFFSET = 24;
const CRC_OFFSET = 28;
const NO_SEQUENCE = 0xffffffff;

/** NEW: chosen, has not run. PENDING: runs, not confirmed. INVALID, ABORTED: not to be booted. */
export const OtaState = Object.freeze({
	NEW: 0,
	PENDING: 1,
	VALID: 2,
	INVALID: 3,
	ABORTED: 4,
	UNDEFINED: 0xffffffff,
} as const);

export interface OtadataRecord {
	sequence: number;
	/** From OtaState; what a boot loader without states makes of it is the same for all. */
	state: number;
	/** Whether the application has marked that it started. */
	started: boolean;
}

/** The CRC of a record: zlib's of the sequence's bytes, continued from 0xFFFFFFFF. 1 gives 0x4743989A. */
export function sequenceCRC(sequence: number): number {
	// What zlib inverts before and after, it has inverted here already.
	let crc = 0;
	for (let i = 0; i < 32; i++) {
		const bit = (crc ^ (sequence >>> i)) & 1;
		crc = (crc >>> 1) ^ (bit ? 0xedb88320 : 0);
	}
	return ~crc >>> 0;
}

/** Writes 32 bytes to `view`. */
export function encodeRecord(view: DataView, { sequence, state, started }: OtadataRecord): void {
	for (let i = 0; i < RECORD_LENGTH; i += 4) view.setUint32(i, 0xffffffff, true);
	view.setUint32(0, sequence, true);
	if (started) view.setUint8(STARTED_OFFSET, 0);
	view.setUint32(STATE_OFFSET, state, true);
	view.setUint32(CRC_OFFSET, sequenceCRC(sequence), true);
}

/** The record in 32 bytes of `view`, or undefined where there is none, or a damaged one. */
export function decodeRecord(view: DataView): OtadataRecord | undefined {
	const sequence = view.getUint32(0, true);
	if (sequence === NO_SEQUENCE || view.getUint32(CRC_OFFSET, true) !== sequenceCRC(sequence))
		return undefined;
	return {
		sequence,
		state: view.getUint32(STATE_OFFSET, true),
		started: view.getUint8(STARTED_OFFSET) !== 0xff,
	};
}

/** Whether a boot loader that knows states would boot it. */
export function isBootable(record: OtadataRecord | undefined): record is OtadataRecord {
	return record !== undefined && record.state !== OtaState.INVALID && record.state !== OtaState.ABORTED;
}

/** The smallest sequence above `present` that means this slot. */
export function nextSequence(present: number, slot: number, slots: number): number {
	return present + 1 + ((((slot - present) % slots) + slots) % slots);
}
