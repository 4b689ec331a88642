import { readFileSync } from "node:fs";
import { readElf, symbolAddress } from "../elf/elf";

/** Where the heap ends: above lies the mask ROM's. */
const HEAP_END = 0x3fffc000;
/** Less has not been tried: XS sets 32,768 bytes of it aside, Wi-Fi and its connections take the rest. */
const FREE_MIN = 46_000;

/** Rows of a table about the data RAM that a program leaves free; none where it does not tell. */
export function memoryRows(elf: string): string[][] {
	const heap = symbolAddress(readElf(readFileSync(elf)), "_heap_start");
	if (heap === undefined) return [];
	const free = HEAP_END - heap;
	const warning = free < FREE_MIN ? `, less than the ${FREE_MIN} that are known to be enough` : "";
	return [["Free DRAM", `${free} bytes, XS takes its memory from them${warning}`]];
}
