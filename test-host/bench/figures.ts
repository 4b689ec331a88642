/** What things cost, each with its source. The bench's results are as good as these. */
import counts from "../fixtures/lx106-figures.json";
import type { FlashOperation } from "../virtual/nor-control";

/** Microseconds of a flash chip. */
export interface FlashCosts {
	name: string;
	/** Of 4,096 bytes. */
	sectorErase: number;
	/** Of 65,536 bytes. */
	blockErase: number;
	/** Of up to 256 bytes. */
	pageProgram: number;
	/** Of a byte, there or back. */
	transfer: number;
}

/**
 * A byte on its way from or to the flash: 64 bytes fit the SPI controller's buffer, take 32 clocks of command and
 * address and 4 clocks each at 40 MHz in the mode DIO, and some 400 instructions around it.
 */
const TRANSFER = 0.19;

/** Winbond W25Q32JV, AC characteristics, the column "typical": a usual 4 MiB chip of a NodeMCU. */
export const TYPICAL: FlashCosts = {
	name: "typical",
	sectorErase: 45_000,
	blockErase: 150_000,
	pageProgram: 400,
	transfer: TRANSFER,
};

/** The same datasheet's column "maximum", which it has for an aged chip at the edge of its range. */
export const WORST: FlashCosts = {
	name: "worst",
	sectorErase: 400_000,
	blockErase: 2_000_000,
	pageProgram: 3000,
	transfer: TRANSFER,
};

/** Microseconds of one operation on so many bytes. */
export function flashTime(costs: FlashCosts, operation: FlashOperation | "read", length: number): number {
	if (operation === "erase") return length === BLOCK ? costs.blockErase : costs.sectorErase;
	return length * costs.transfer + (operation === "program" ? costs.pageProgram : 0);
}

const SECTOR = 4096;
const BLOCK = 65_536;
const PAGE = 256;

/** Bytes a second that the chip takes, erased by sectors or by blocks: no updater is faster that writes all. */
export function flashLimit(costs: FlashCosts, unit: "sector" | "block"): number {
	const size = unit === "sector" ? SECTOR : BLOCK;
	const erase = unit === "sector" ? costs.sectorErase : costs.blockErase;
	return (size / (erase + (size / PAGE) * costs.pageProgram + size * costs.transfer)) * 1e6;
}

/** The chip's usual clock; it can do 160 MHz. */
const CYCLES_PER_MICROSECOND = 80;
/** Assumptions: one at best, and more for loads and branches; code in flash misses its cache of 32 KB now and then. */
const CYCLES_IN_FLASH = 2;
const CYCLES_IN_RAM = 1.3;

/** Microseconds of so many lx106 instructions of the application's code, which lies in flash. */
export function timeOf(instructions: number): number {
	return (instructions * CYCLES_IN_FLASH) / CYCLES_PER_MICROSECOND;
}

/** The same of the boot loader's, which lies in RAM. */
export function bootTimeOf(instructions: number): number {
	return (instructions * CYCLES_IN_RAM) / CYCLES_PER_MICROSECOND;
}

/** What `npm run lx106` has counted. Throws Error where it has not counted that. */
function counted(name: string, of: "script" | "natives" | "digest"): number {
	const figure = counts.find((one) => one.name === name);
	if (!figure) throw new Error(`lx106-figures.json has no ${name}`);
	return figure[of];
}

const WRITE = "Update.write, pieces of 1460";
const END = "Update.complete, pieces of 1460";

/**
 * Instructions a byte that Update.write takes, in XS and in the C of modules/, and that the form's parser takes beside it;
 * what Update.complete takes. Counted on an emulated lx106.
 */
export const UPDATE = (counted(WRITE, "script") + counted(WRITE, "natives")) / 1024;
export const FORM = counted("form's parser", "script") / 1024;
export const COMPLETE = counted(END, "script") + counted(END, "natives");
/** Instructions a byte of MD5 in C, counted likewise. */
export const MD5 = counted("MD5", "digest") / 1024;
/** Instructions a byte of a receiver in C++, which copies: an estimate. */
export const NATIVE = 4;
/** Instructions of a packet in the SDK's Wi-Fi and lwIP, and of each byte, which is summed and copied. Estimates. */
export const PACKET = 3000;
export const PACKET_BYTE = 3;
/** Instructions that eboot takes for a byte that it inflates: counted on an lx106. */
export const INFLATE = 248_000 / 1024;

/** From the boot loader's jump until the board is in the network again: an assumption, the same for all. */
export const START = 3_000_000;
