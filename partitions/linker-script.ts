/** The linker script that the SDK builds an application with, from a layout. */
import type { LayoutFile } from "./layout-file";

/** The flash cache maps flash 0 here, one MiB. */
const MAPPED = 0x40200000;
const MAPPED_LENGTH = 0x100000;
/** Behind the boot loader's sector, the application's header and its first segment's. */
const IROM_OFFSET = 0x1010;
/** The descriptor's place within the firmware file (SPEC.md, section 1). */
const DESCRIPTOR_OFFSET = 0x1020;
/** The checksum is the last byte of a line of 16. */
const CHECKSUM_LENGTH = 16;
/** Of instruction RAM the flash cache takes the rest; our boot loader loads code up to 0x4010E000, eboot up to 0x4010F000. */
const CODE_RAM_LENGTH = 0x8000;
/** What the script tells the SDK of. */
const PARTITIONS = ["running", "preferences", "storage"];
const SECTOR = 0x1000;
/** The SDK's, where the filesystem is made of whole ones. */
const SPIFFS_BLOCK = 0x2000;

interface Extent {
	offset: number;
	end: number;
}

/** What keeps an application from being linked for a layout, a line for each fault. */
export function linkFaults(layout: LayoutFile): string[] {
	const faults = PARTITIONS.filter((name) => !layout.partitions[name]).map(
		(name) => `${name}: there is none`,
	);
	const running = extent(layout, "running");
	if (!running) return faults;
	if (running.offset !== 0) faults.push("running: does not begin at flash 0, where eboot copies firmware to");
	if (running.end > MAPPED_LENGTH) faults.push("running: more than the 1 MiB that the flash cache maps");
	if (running.end <= IROM_OFFSET + CHECKSUM_LENGTH) faults.push("running: no room for an application");
	return faults;
}

/** The script for a layout; `file` is that layout's. Throws Error for one that no application can be linked for. */
export function linkerScript(file: string, layout: LayoutFile): string {
	const faults = linkFaults(layout);
	const [running, preferences, storage] = PARTITIONS.map((name) => extent(layout, name));
	if (!running || !preferences || !storage || faults.length > 0)
		throw new Error(`${file}: ${faults.join("; ")}`);
	const irom = running.end - IROM_OFFSET - CHECKSUM_LENGTH;
	return `/* Made by "npm run layouts" from ${file}. */

MEMORY
{
	dport0_0_seg : org = 0x3FF00000, len = 0x10
	dram0_0_seg : org = 0x3FFE8000, len = 0x14000
	iram1_0_seg : org = 0x40100000, len = ${hex(CODE_RAM_LENGTH)}
	irom0_0_seg : org = ${hex(MAPPED + IROM_OFFSET)}, len = ${hex(irom)}
}

PROVIDE(_MODPREF_start = ${hex(MAPPED + preferences.offset)});
PROVIDE(_MODPREF_end = ${hex(MAPPED + preferences.end)});
PROVIDE(_SPIFFS_start = ${hex(MAPPED + storage.offset)});
PROVIDE(_SPIFFS_end = ${hex(MAPPED + storage.end)});
PROVIDE(_SPIFFS_page = 0x100);
PROVIDE(_SPIFFS_block = ${hex((storage.end - storage.offset) % SPIFFS_BLOCK === 0 ? SPIFFS_BLOCK : SECTOR)});

/* Nothing refers to the descriptor: without this it would not be linked. An application may have none. */
EXTERN(ota8266_descriptor)
PROVIDE(ota8266_descriptor = ${hex(MAPPED + DESCRIPTOR_OFFSET)});

INCLUDE "eagle.app.v6.common.ld"

ASSERT(_irom0_text_start == ${hex(MAPPED + IROM_OFFSET)}, "the irom does not begin behind the application's header")
ASSERT(ota8266_descriptor == ${hex(MAPPED + DESCRIPTOR_OFFSET)}, "the descriptor is not in its place")
`;
}

function extent({ partitions }: LayoutFile, name: string): Extent | undefined {
	const partition = partitions[name];
	if (!partition) return undefined;
	const offset = Number(partition.offset);
	return { offset, end: offset + Number(partition.size) };
}

function hex(value: number): string {
	return `0x${value.toString(16).toUpperCase()}`;
}
