/** Small boot loaders, compiled for the chip and run as machine code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BootMachineOptions, type BootMachineOutcome, bootMachine } from "../lx106/boot/boot";
import { link, objcopySection, readelfEntry, readelfSections } from "../lx106/link";
import { buildImage } from "../virtual/image-builder";
import { NorFlash } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { RtcMemory } from "../virtual/rtc";
import { temporaryFolder } from "./signing-bench";

/** The ROM's functions, for C. */
const ROM = `
#define SPIEraseSector ((int (*)(unsigned))0x40004A00)
#define SPIEraseBlock ((int (*)(unsigned))0x400049B4)
#define SPIWrite ((int (*)(unsigned, const void *, unsigned))0x40004A4C)
#define SPIRead ((int (*)(unsigned, void *, unsigned))0x40004B1C)
#define SPIParamCfg ((int (*)(unsigned, unsigned, unsigned, unsigned, unsigned, unsigned))0x40004C2C)
#define ets_printf ((int (*)(const char *, ...))0x400024CC)
#define ets_putc ((void (*)(int))0x40002BE8)
#define ets_delay_us ((void (*)(unsigned))0x40002ECC)
#define ets_memcpy ((void *(*)(void *, const void *, unsigned))0x400018B4)
#define ets_memset ((void *(*)(void *, int, unsigned))0x400018A4)
#define ets_memcmp ((int (*)(const void *, const void *, unsigned))0x400018D4)
#define ets_wdt_enable ((void (*)(int, int, int))0x40002FA0)
#define ets_wdt_disable ((void (*)(void))0x400030F0)
#define reg(address) (*(volatile unsigned *)(address))
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
static inline void jump(unsigned entry) { __asm__ volatile("movi a1, 0x3ffffff0\\n jx %0" : : "r"(entry)); }
`;

const SCRIPT = `
ENTRY(start)
SECTIONS {
	.data 0x3ffe8000 : { *(.rodata .rodata.* .data .data.* .bss .bss.* COMMON) . = ALIGN(4); LONG(0) }
	.text 0x4010f000 : { *(.literal .literal.* .text .text.*) . = ALIGN(4); }
	/DISCARD/ : { *(.comment .xtensa.info) }
}
`;

/** An ESP image of C sources; `start` is its entry. */
function compileLoader(source: string): Uint8Array {
	const folder = temporaryFolder();
	const script = join(folder, "loader.ld");
	writeFileSync(script, SCRIPT);
	const file = link(folder, "loader", { sources: [ROM + source], script });
	const segments = readelfSections(file).map(({ name, address }) => ({
		address,
		data: new Uint8Array(objcopySection(file, name)),
	}));
	return buildImage({ segments, entry: readelfEntry(file) });
}

export class MachineBench {
	readonly flash: NorFlash;
	readonly rtc = new RtcMemory();
	uart = "";

	/** A chip whose boot loader is that of the C source. */
	constructor(source: string, size = 0x400000) {
		this.flash = NorFlash.inMemory(size);
		this.flash.program(0, compileLoader(source));
	}

	boot(options: Partial<BootMachineOptions> = {}): BootMachineOutcome {
		this.uart = "";
		const print = (text: string) => {
			this.uart += text;
		};
		const { flash, rtc } = this;
		const outcome = bootMachine({ flash, rtc, print, cause: ResetCause.RESET, ...options });
		this.uart = this.uart.slice(this.uart.lastIndexOf("csum ")).replace(/^csum 0x..\r\n/, "");
		return outcome;
	}
}
