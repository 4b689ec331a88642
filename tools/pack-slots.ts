import { ErrorCode, UpdateError } from "../ota/errors";
import { APPLICATION_OFFSET, bootImageFault, SECTOR } from "../ota/image";
import { type Partition, TABLE_OFFSET } from "../ota/slots/partition-table";
import { SlotScanner } from "../ota/slots/scanner";
import { type ImagePart, readPart } from "./image/part";
import { flashFrom, packedUpgrade, UPGRADE_OFFSET } from "./image/upgrade";
import { encodeTable } from "./partitions/binary";
import { firstApp } from "./partitions/first-app";
import { flashAddress, hex } from "./partitions/numbers";
import { problemsOf, problemText } from "./partitions/problems";
import { readTable } from "./partitions/table-file";
import { readImage } from "./read-image";
import { table } from "./table";
import { writeFileIn } from "./write-signed";

export interface SlotsFlags {
	/** An application, linked for the slot that boots first. */
	in: string;
	out: string;
	/** A boot loader that reads partition tables. */
	bootloader: string;
	/** CSV or bytes. */
	partitions: string;
	/** Over the air, and not by cable. */
	upgrade?: boolean;
	/** What the board has at flash 0, where its updates begin there. */
	eboot?: string;
}

interface Image extends ImagePart {
	file: string;
	bytes: Uint8Array;
}

/**
 * Packs boot loader, table and application into one file: the flash from 0 on for the cable, or an upgrade. Throws
 * UpdateError NOT_PACKED, or FILE.
 */
export async function packSlots(flags: SlotsFlags): Promise<void> {
	const { partitions, md5 = true } = await readTable(flags.partitions);
	const [problem] = problemsOf(partitions, { md5 }).filter(({ severity }) => severity !== "note");
	if (problem) throw new UpdateError(ErrorCode.NOT_PACKED, flags.partitions, problemText(problem));
	const slot = firstApp(partitions);
	if (!slot) {
		throw new UpdateError(ErrorCode.NOT_PACKED, flags.partitions, "neither a factory app nor ota_0 in it");
	}
	const bootLoader = await imageIn(flags.bootloader);
	const bootOffset = flags.upgrade ? UPGRADE_OFFSET : 0;
	const room = TABLE_OFFSET - bootOffset;
	if (bootLoader.bytes.length > room) {
		throw notPacked(bootLoader, `${bootLoader.bytes.length} bytes, it has ${room} before the table`);
	}
	const application = await imageIn(flags.in);
	requireFor(application, slot);
	const eboot = flags.eboot === undefined ? undefined : await ebootIn(flags.eboot);
	const flashEnd = Math.max(...partitions.map(({ offset, size }) => offset + size));
	// The SDK takes the flash's size from what lies at its beginning.
	const first = flags.upgrade ? eboot : bootLoader;
	for (const image of [application, first]) if (image) requireFlash(image, flashEnd);

	const tableBytes = encodeTable(partitions, { md5 });
	const pieces = [
		{ offset: bootOffset, bytes: bootLoader.bytes },
		{ offset: TABLE_OFFSET, bytes: tableBytes },
		{ offset: slot.offset, bytes: application.bytes },
	];
	const file = flags.upgrade ? packedUpgrade(pieces, eboot?.bytes) : flashFrom(bootOffset, pieces);
	await writeFileIn(flags.out, file);
	const row = (title: string, offset: number, { length }: Uint8Array, name: string) => [
		title,
		flashAddress(offset),
		`${length} bytes, ${name}`,
	];
	const rows = [
		...(eboot ? [row("eboot", 0, eboot.bytes, eboot.file)] : []),
		row("Boot loader", bootOffset, bootLoader.bytes, bootLoader.file),
		row("Partition table", TABLE_OFFSET, tableBytes, flags.partitions),
		row(slot.label, slot.offset, application.bytes, application.file),
		["Packed", "", `${file.length} bytes, ${flags.out}`],
	];
	process.stdout.write(table(rows));
}

/** An image of version 1, whole. */
async function imageIn(file: string): Promise<Image> {
	const bytes = await readImage(file);
	const part = readPart(bytes, 0);
	if (!part)
		throw new UpdateError(ErrorCode.NOT_PACKED, file, "it does not begin with an image for the ESP8266");
	if (part.checksum !== "right") {
		throw new UpdateError(ErrorCode.NOT_PACKED, file, `its image is damaged, checksum ${part.checksum}`);
	}
	return { ...part, file, bytes };
}

/** The boot loader in the first sector of a file: an eboot, or a firmware that has it. */
async function ebootIn(file: string): Promise<Image> {
	const image = await imageIn(file);
	const sector = new Uint8Array(SECTOR);
	sector.set(image.bytes.subarray(0, SECTOR));
	const fault = bootImageFault(sector);
	if (fault !== undefined) throw notPacked(image, `no eboot: ${fault}`);
	return { ...image, bytes: image.bytes.subarray(0, image.size) };
}

/** It fits the slot, and is what the device takes for it: the boot loader loads nothing, so much depends on the place. */
function requireFor(application: Image, { label, offset, size }: Partition): void {
	const { bytes } = application;
	if (bytes.length > size) throw notPacked(application, `${bytes.length} bytes, ${label} has ${size}`);
	const fault = slotFault(bytes, offset);
	if (fault === undefined) return;
	const isFirmware = readPart(bytes, APPLICATION_OFFSET) !== undefined;
	throw notPacked(application, isFirmware ? "it has a boot loader in front, give the application" : fault);
}

function slotFault(bytes: Uint8Array, offset: number): string | undefined {
	const scanner = new SlotScanner(offset);
	try {
		return (
			scanner.write(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes.length) ??
			scanner.close()
		);
	} catch (error) {
		if (error instanceof UpdateError) return error.message;
		throw error;
	}
}

function requireFlash(image: Image, flashEnd: number): void {
	if (image.flashSize === 0 || image.flashSize >= flashEnd) return;
	throw notPacked(
		image,
		`its header tells of a flash of ${hex(image.flashSize)} bytes, the table ends at ${hex(flashEnd)}`,
	);
}

function notPacked({ file }: Image, reason: string): UpdateError {
	return new UpdateError(ErrorCode.NOT_PACKED, file, reason);
}
