/** All natives of modules/, their buffers and places in flash at odd addresses: on the chip a word's load there is a fault. */
import Resource from "Resource";
import flash from "embedded:storage/flash";
import board from "board";
import { Digest } from "crypt";
import { start, stop } from "measure";
import { toHex } from "../../../ota/hex";

const LENGTH = 600;

function fill(bytes: Uint8Array): Uint8Array {
	for (let i = 0; i < bytes.length; i++) bytes[i] = (7 * i + 3) & 255;
	return bytes;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return a.length === b.length;
}

/** At each of the four places in a word. */
function tryFlash(offset: number): boolean {
	const storage = flash.open({ path: "storage" });
	const given = fill(new Uint8Array(new ArrayBuffer(LENGTH + 8), offset, LENGTH));
	const got = new Uint8Array(new ArrayBuffer(LENGTH + 8), 3 - offset, LENGTH);
	storage.eraseBlock(offset);
	const isErased = storage.isErased(offset);
	storage.write(given, 4096 * offset + 2 * offset + 1);
	storage.read(got, 4096 * offset + 2 * offset + 1);
	const { address } = storage.status();
	const again = new Uint8Array(storage.read(LENGTH, 4096 * offset + 2 * offset + 1));
	const isEqual = storage.equals(given, 4096 * offset + 2 * offset + 1);
	storage.close();
	return isErased && isEqual && address === 0x200000 && same(given, got) && same(given, again);
}

/** Bytes of flash that is mapped, which begin anywhere. */
function tryMapped(): boolean {
	const storage = flash.open({ path: "storage" });
	const mapped = new Resource("odd");
	storage.eraseBlock(5);
	storage.write(mapped as unknown as ArrayBuffer, 4096 * 5 + 3);
	const got = new Uint8Array(storage.read(mapped.byteLength, 4096 * 5 + 3));
	storage.close();
	return same(new Uint8Array(mapped.slice(0)), got);
}

function tryRTC(offset: number): boolean {
	const given = fill(new Uint8Array(new ArrayBuffer(72), offset, 64));
	const got = new Uint8Array(new ArrayBuffer(72), 3 - offset, 64);
	board.writeRTC(given, 128);
	board.readRTC(got, 128);
	return same(given, got);
}

function tryBytes(offset: number): string {
	const given = fill(new Uint8Array(new ArrayBuffer(LENGTH + 8), offset, LENGTH));
	const digest = new Digest("SHA256");
	digest.write(given.subarray(0, 5));
	digest.reset();
	digest.write(given);
	const noise = new Uint8Array(new ArrayBuffer(40), offset, 33);
	board.random(noise);
	return `${board.gzipCRC(given, 0)} ${toHex(digest.close())} ${same(noise, new Uint8Array(33))}`;
}

function describeBoard(): string {
	const { chipId, stationMAC, accessPointMAC, flashSize, configuredFlashSize, flashMode } = board;
	const { bootMode, resetReason, freeHeap, uptime, sdkVersion } = board;
	const sizes = `${flashSize} ${configuredFlashSize} ${flashMode} ${bootMode} ${freeHeap} ${uptime}`;
	return `${chipId} ${stationMAC} ${accessPointMAC} ${sizes} ${resetReason} ${sdkVersion}`;
}

export default function run(): void {
	start("natives");
	for (let offset = 0; offset < 4; offset++) {
		trace(`flash ${offset} ${tryFlash(offset)}\n`);
		trace(`RTC ${offset} ${tryRTC(offset)}\n`);
		trace(`bytes ${offset} ${tryBytes(offset)}\n`);
	}
	trace(`mapped ${tryMapped()}\n`);
	let names = "";
	for (const name of flash) names += `${name} `;
	trace(`partitions ${names}\n`);
	board.led(true);
	board.feedWatchdog();
	trace(`board ${describeBoard()}\n`);
	stop();
	// The last: the board restarts.
	board.handOver(fill(new Uint8Array(new ArrayBuffer(132), 1, 128)));
}
