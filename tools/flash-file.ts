/** What `ota8266 flash` does once its usage is right. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { ErrorCode, UpdateError } from "../ota/errors";
import { imageInfo } from "./image-info";
import { flashSizes } from "./option-values";
import { Progress } from "./progress";
import { readImage } from "./read-image";
import { firmwareParts } from "./serial/firmware-parts";
import { checkFlashSize, type FlashPart, type FoundChip, flash } from "./serial/flashing";
import { findInitData, INIT_DATA_OFFSET, readInitData } from "./serial/init-data";
import { withoutExperimentalWarnings } from "./serial/quiet-import";
import { WebSerialPort } from "./serial/web-serial-port";

export interface FlashFileOptions {
	port: string;
	baud: number;
	erase: boolean;
	/** Init data for an erased flash; the SDK's where not given. */
	initData?: string | undefined;
	/** Writes what looks damaged. */
	force: boolean;
}

/** True when the flash holds the file. */
export async function flashFile(file: string, options: FlashFileOptions): Promise<boolean> {
	const { port: name, baud: baudRate, erase, force } = options;
	const progress = new Progress(process.stderr);
	const port = new WebSerialPort(name);
	const start = performance.now();
	try {
		const image = await readFirmware(file, force);
		const initData = erase ? await initDataOf(options.initData) : undefined;
		const parts = (chip: FoundChip): FlashPart[] => {
			if (!force) checkFlashSize(image, chip);
			const firmware = firmwareParts(image, chip.flashSize);
			const address = chip.flashSize - INIT_DATA_OFFSET;
			return initData ? [...firmware, { address, data: initData }] : firmware;
		};
		await withoutExperimentalWarnings(() =>
			flash({
				port,
				name,
				baudRate,
				erase,
				parts,
				md5: (bytes) => createHash("md5").update(bytes).digest("hex"),
				onStage: (stage, chip) => {
					if (stage === "connecting") say(`Looking for a board on ${name}`);
					if (stage === "erasing") say("Erasing all of the flash");
					if (stage === "found" && chip) say(chipText(chip));
				},
				onProgress: (done, total) => progress.update(done, total),
			}),
		);
		progress.end();
		const seconds = ((performance.now() - start) / 1000).toFixed(1);
		process.stdout.write(`Done: ${image.length} bytes in ${seconds} s, their MD5 is the flash's\n`);
		process.stdout.write(port.hasLines ? "The board restarts\n" : NO_RESET);
		return true;
	} catch (error) {
		progress.end();
		if (!(error instanceof UpdateError)) throw error;
		say(error.message);
		return false;
	}
}

const NO_RESET = "Now press its RST button: this connection has no line for that (rfc2217:// has)\n";

function chipText({ description, mac, flashSize }: FoundChip): string {
	const size = [...flashSizes].find(([, bytes]) => bytes === flashSize)?.[0];
	return `${description}, MAC ${mac}, ${size} of flash`;
}

/** The flash holds it inflated. */
async function readFirmware(file: string, force: boolean): Promise<Uint8Array> {
	const bytes = await readImage(file);
	const { gzip, kind, faults } = imageInfo(bytes);
	const problems = faults.length === 0 && kind !== "firmware" ? [`a ${kind}, no firmware`] : faults;
	if (problems.length > 0 && !force) throw new UpdateError(ErrorCode.DAMAGED, file, problems.join("; "));
	return gzip ? inflated(file, bytes, gzip.compressed) : bytes;
}

function inflated(file: string, bytes: Uint8Array, compressed: number): Uint8Array {
	try {
		return gunzipSync(bytes.subarray(0, compressed), { maxOutputLength: Math.max(...flashSizes.values()) });
	} catch (error) {
		throw new UpdateError(ErrorCode.DAMAGED, file, error instanceof Error ? error.message : String(error));
	}
}

async function initDataOf(given: string | undefined): Promise<Uint8Array | undefined> {
	const file = given ?? findInitData(process.env);
	if (file !== undefined) return readInitData(file);
	say("No init data of the SDK is written (ESP_BASE names none): the firmware brings its own");
	return undefined;
}

function say(text: string): void {
	process.stderr.write(`${text}\n`);
}
