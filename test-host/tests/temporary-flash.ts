/** Flash chips in temporary files, which go when the test ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { NorFlash, type NorOptions, SECTOR_SIZE } from "../virtual/nor";

/** A path for a flash file that does not exist yet. */
export function temporaryFile(): string {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-"));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	return join(folder, "flash.bin");
}

/** An erased chip, 1 MiB where the test does not say. */
export function temporaryFlash(options: Partial<NorOptions> = {}): NorFlash {
	const flash = NorFlash.open({ file: temporaryFile(), size: 0x100000, ...options });
	onTestFinished(() => flash.close());
	return flash;
}

/** Erases the sectors under `bytes` and programs them. */
export function put(flash: NorFlash, address: number, bytes: Uint8Array): void {
	for (let at = address; at < address + bytes.length; at += SECTOR_SIZE) flash.eraseSector(at);
	flash.program(address, bytes);
}

export function get(flash: NorFlash, address: number, length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	flash.read(address, bytes);
	return bytes;
}
