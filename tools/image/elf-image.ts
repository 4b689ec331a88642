/** ESP images of linked programs: the application's, and the boot loader's. */
import { APPLICATION_OFFSET, HEADER_LENGTH, SECTOR, SEGMENT_HEADER_LENGTH } from "../../ota/image";
import { type Elf, type ElfSection, symbolAddress } from "../elf/elf";
import { buildImage, type ImageHeader } from "./build-image";

/** A part of the chip's memory that a section may lie in: from `start` to below `end`. */
interface Window {
	start: number;
	end: number;
}

/** Where flash 0 is mapped. */
const MAPPED = 0x40200000;
const IROM_START = MAPPED + APPLICATION_OFFSET + HEADER_LENGTH + SEGMENT_HEADER_LENGTH;

/** irom, IRAM, DRAM: the order of the segments, as the Arduino packer has it. eboot itself lies above 0x4010F000. */
const applicationWindows: readonly Window[] = [
	{ start: MAPPED, end: MAPPED + 0x100000 },
	{ start: 0x40100000, end: 0x4010c000 },
	{ start: 0x3ffe8000, end: 0x3fffc000 },
];
/** The mask ROM loads it; its own data lie above. */
const bootLoaderWindows: readonly Window[] = [
	{ start: 0x40100000, end: 0x40110000 },
	{ start: 0x3ffe8000, end: 0x3fffc000 },
];

/** The application's image. Throws RangeError, with the reason, for a program that eboot would not start. */
export function applicationImage(elf: Elf, header: ImageHeader): Uint8Array {
	const sections = sectionsIn(elf, applicationWindows);
	const irom = sections.filter(({ address }) => address >= MAPPED);
	const [first] = irom;
	if (first?.address !== IROM_START) {
		const where = first ? `begins at ${hex(first.address)}` : "is missing";
		throw new RangeError(`its irom ${where}, eboot wants it at ${hex(IROM_START)}`);
	}
	if (irom.length > 1) throw new RangeError(`its irom is in ${irom.length} sections, eboot maps one`);
	return imageOf(elf, sections, header);
}

/** The boot loader's image, which fits its sector. Throws RangeError, with the reason, where there is none. */
export function bootLoaderImage(elf: Elf, header: ImageHeader): Uint8Array {
	const image = imageOf(elf, sectionsIn(elf, bootLoaderWindows), header);
	if (image.length > SECTOR) throw new RangeError(`${image.length} bytes, a boot loader has ${SECTOR}`);
	return image;
}

/** Whether the linker script has left the Arduino packer's two words free, as that of its core does. */
export function reservesPackerWords(elf: Elf): boolean {
	const words = [symbolAddress(elf, "__crc_len"), symbolAddress(elf, "__crc_val")];
	return words[0] === IROM_START && words[1] === IROM_START + 4;
}

/** The sections to load, ordered by windows, then addresses. */
function sectionsIn({ sections }: Elf, windows: readonly Window[]): ElfSection[] {
	const loaded = sections.filter(({ loaded }) => loaded).sort((one, other) => one.address - other.address);
	const ordered = windows.flatMap((window) => loaded.filter((section) => fits(section, window)));
	for (const section of loaded) {
		if (!ordered.includes(section))
			throw new RangeError(`${describe(section)} lies in no memory of the ESP8266`);
		if (section.address % 4 !== 0) throw new RangeError(`${describe(section)} is not on whole words`);
	}
	for (const [i, section] of loaded.slice(1).entries()) {
		const before = loaded[i];
		if (before && before.address + before.data.length > section.address) {
			throw new RangeError(`${describe(section)} overlaps ${before.name}`);
		}
	}
	return ordered;
}

function fits({ address, data }: ElfSection, { start, end }: Window): boolean {
	return address >= start && address + data.length <= end;
}

function imageOf({ entry }: Elf, sections: readonly ElfSection[], header: ImageHeader): Uint8Array {
	const isIn = ({ address, data }: ElfSection) => entry >= address && entry < address + data.length;
	// Flash is not mapped yet where it begins.
	if (entry >= MAPPED || !sections.some(isIn)) {
		throw new RangeError(`its entry ${hex(entry)} lies in no section that is loaded into IRAM`);
	}
	return buildImage({ ...header, segments: sections, entry });
}

function describe({ name, address, data }: ElfSection): string {
	return `its section ${name} (${data.length} bytes at ${hex(address)})`;
}

function hex(address: number): string {
	return `0x${address.toString(16)}`;
}
