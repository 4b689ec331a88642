/** What the machine for boot code does of the mask ROM, and what it does not let pass. */
import { beforeAll, describe, expect, test } from "vitest";
import { ACTION_LOAD_APP, COMMAND_LENGTH, encodeCommand } from "../../ota/eboot";
import { PowerCut } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { withCompiler } from "./lx106";
import { MachineBench } from "./machine-bench";
import { get, put } from "./temporary-flash";

/** Runs the body of `start`, then waits for ever. */
const body = (code: string, before = "") =>
	new MachineBench(`${before} void start(void) { ets_wdt_disable(); ${code} for (;;); }`);

function printed(code: string, before = ""): string {
	const bench = body(code, before);
	expect(bench.boot()).toMatchObject({ kind: "hang", reason: expect.stringMatching(/^spins at 0x4010f/) });
	return bench.uart;
}

function faultOf(code: string, before = ""): string {
	const outcome = body(code, before).boot();
	expect(outcome).toMatchObject({ kind: "reset", cause: ResetCause.WATCHDOG });
	return outcome.fault ?? "";
}

withCompiler("the machine for boot code", () => {
	test("ets_printf ends lines in CR LF, ets_putc sends what it gets", () => {
		const code = `ets_printf("%d %u %08x %x %s%c%%\\n", -5, -1, 0xabc, 0xabc, "text", '!'); ets_putc('\\n');`;
		expect(printed(code)).toBe("-5 4294967295 00000abc abc text!%\r\n\n");
	});

	test("the functions of the flash read, erase and program, and say where they do not", () => {
		const bench = body(
			`ets_printf("%d%d%d%d%d", SPIEraseSector(5), SPIWrite(0x5000, words, 8), SPIRead(0x5000, got, 8),
				SPIEraseSector(1024), SPIWrite(0x5000, words, 7));
			ets_printf(" %x %x", got[0], got[1]);`,
			"u32 words[] = { 0x11223344, 0x55667788 }, got[2] = { 0 };",
		);
		put(bench.flash, 0x5000, new Uint8Array(4096));
		const { flashTime } = bench.boot();
		expect(bench.uart).toBe("00011 11223344 55667788");
		expect(get(bench.flash, 0x5000, 9).at(-1)).toBe(0xff);
		expect(flashTime).toBeCloseTo(45 + 45 + 0.7);
	});

	test("SPIEraseBlock erases 64 KiB; SPIParamCfg tells the size of the chip", () => {
		const bench = new MachineBench(
			`void start(void) {
				ets_printf("%d%d", SPIEraseBlock(1), SPIEraseBlock(64));
				SPIParamCfg(0, 0x800000, 0x10000, 0x1000, 0x100, 0xffff);
				ets_printf("%d%d", SPIEraseBlock(64), SPIEraseBlock(128));
				ets_wdt_disable();
				for (;;);
			}`,
			0x800000,
		);
		bench.flash.program(0x10000, new Uint8Array(0x20000));
		bench.flash.program(0x400000, new Uint8Array(0x10000));
		const { flashTime } = bench.boot();
		expect(bench.uart).toBe("0101");
		expect(get(bench.flash, 0x10000, 0x20000).indexOf(0)).toBe(0x10000);
		expect(get(bench.flash, 0x400000, 0x10000).every((byte) => byte === 0xff)).toBe(true);
		expect(flashTime).toBe(4 * 150);
	});

	test("RTC memory is read and written in words", () => {
		const bench = body(`ets_printf("%x", reg(0x60001204)); reg(0x60001200) = 0; reg(0x600013fc) = 7;`);
		const block = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(block, { action: ACTION_LOAD_APP, source: 0, destination: 0, size: 0 });
		bench.rtc.write(0, block);
		bench.boot();
		expect(bench.uart).toBe("ffffffff");
		const word = new Uint8Array(4);
		bench.rtc.read(0, word);
		expect([...word]).toEqual([0, 0, 0, 0]);
		bench.rtc.read(0x1fc, word);
		expect([...word]).toEqual([7, 0, 0, 0]);
	});

	test("memcpy, memset and memcmp", () => {
		const before = 'char text[12] = "hello world", copy[12], zero[12];';
		const code = `ets_memcpy(copy, text, 12); copy[0] = 'j'; ets_memset(zero, '-', 3); zero[3] = 0;
			ets_printf("%s%s%d%d", copy, zero, ets_memcmp(text + 1, copy + 1, 11), ets_memcmp(text, copy, 12) < 0);`;
		expect(printed(code, before)).toBe("jello world---01");
	});

	test("a jump away with an application's stack starts what was loaded there", () => {
		const bench = body("SPIRead(0x1000, (void *)0x40100000, 32); jump(0x40100004);");
		const application = Uint8Array.from({ length: 32 }, (_, i) => i);
		bench.flash.program(0x1000, application);
		const outcome = bench.boot();
		if (outcome.kind !== "jump") throw new Error(outcome.reason);
		expect(outcome.entry).toBe(0x40100004);
		expect(outcome.memory.read(0x40100000, 32)).toEqual(application);
		expect(outcome.instructions).toBeGreaterThan(5);
		expect(outcome.instructions).toBeLessThan(50);
	});

	test("a second stage, stored below the first one, runs and calls it", () => {
		// addi.n a2, a2, 1; jx a3
		const stage =
			"__attribute__((noinline)) u32 answer(u32 n) { return 10 * n; } u32 stage[] = { 0x03a0221b, 0 };";
		const code = `reg(0x4010e000) = stage[0]; reg(0x4010e004) = stage[1];
			for (u32 i = 0; i < 3; i++) ets_printf("%d ", ((u32 (*)(u32, u32 (*)(u32)))0x4010e000)(i, answer));`;
		expect(printed(code, stage)).toBe("10 20 30 ");
		expect(faultOf(`${code} reg(0x4010e000) = 0;`, stage)).toContain("over the code that runs");
	});

	test("bit 31 of the RTC's control register resets the chip", () => {
		expect(body("reg(0x60000700) |= 1u << 31;").boot()).toMatchObject({
			kind: "reset",
			cause: ResetCause.RESET,
		});
	});

	test("a power cut ends it", () => {
		const bench = body("SPIEraseSector(8);");
		bench.flash.control.arm({ at: bench.flash.operations, kind: "power during" });
		expect(() => bench.boot()).toThrow(PowerCut);
	});

	describe("the watchdog", () => {
		const erasing = (count: number, each: string) =>
			new MachineBench(`void start(void) {
				ets_wdt_enable(4, 12, 12);
				for (int i = 0; i < ${count}; i++) { SPIEraseSector(8); ${each} }
				ets_wdt_disable();
				for (;;);
			}`).boot();

		test("resets the chip 13 s after it was fed last, if it was not switched off", () => {
			expect(erasing(288, "").kind).toBe("hang");
			expect(erasing(290, "")).toMatchObject({ kind: "reset", cause: ResetCause.WATCHDOG });
			expect(erasing(1000, "reg(0x60000914) = 0x73;").kind).toBe("hang");
		});

		test("counts instructions and what is waited for", () => {
			const busy = "ets_delay_us(12990000); for (;;) reg(0x3fff0000) = 0;";
			expect(new MachineBench(`void start(void) { ${busy} }`).boot()).toMatchObject({
				kind: "reset",
				cause: ResetCause.WATCHDOG,
				time: expect.closeTo(13000, 2),
				instructions: expect.closeTo(520_000, -2),
			});
			expect(erasing(14, "ets_delay_us(1000000);").kind).toBe("reset");
		});

		test("ends an idle loop", () => {
			const outcome = new MachineBench("void start(void) { for (;;); }").boot();
			expect(outcome).toMatchObject({ kind: "reset", cause: ResetCause.WATCHDOG });
		});
	});

	test("what goes on for ever is taken for hung", () => {
		const bench = body("for (;;) reg(0x60001200) = 0;");
		expect(bench.boot({ limit: 100_000 })).toMatchObject({
			kind: "hang",
			reason: expect.stringContaining("on and on"),
		});
	});

	describe("does not let pass", () => {
		const wrongs: [what: string, code: string][] = [
			["a byte of instruction RAM", "ets_putc(*(volatile u8 *)0x40100001);"],
			["half a word of it", "ets_putc(*(volatile u16 *)0x40100002);"],
			["a byte stored there", "*(volatile u8 *)0x40100000 = 1;"],
			["a word that is not aligned", "LOAD(l32i, 0x3fff0002);"],
			["half a word that is not aligned", "LOAD(l16ui, 0x3fff0001);"],
			["a store that is not aligned", "LOAD(s32i, 0x3fff0001);"],
			["what is not there", "ets_putc(reg(0));"],
			["the end of data RAM", "ets_putc(reg(0x40000000));"],
			["mapped flash, which is not mapped yet", "ets_putc(reg(0x40200000));"],
			["another register", "reg(0x60000000) = 1;"],
			["a byte of RTC memory", "ets_putc(*(volatile u8 *)0x60001200);"],
			["RTC memory that is the system's", "reg(0x600011fc) = 1;"],
			["its own code", "reg(0x4010f000) = 1;"],
			["its own code, by the flash", "SPIRead(0, (void *)0x4010f000, 4);"],
			["SPIRead to what is not aligned", "SPIRead(0, (void *)0x3ffe9002, 4);"],
			["SPIRead to where no RAM is", "SPIRead(0, (void *)0x3ffffffc, 8);"],
			["SPIWrite from what is not aligned", "SPIWrite(0x8000, (void *)0x3ffe9001, 4);"],
			["a copy of bytes into instruction RAM", "ets_memcpy((void *)0x40100000, (void *)0x3ffe9000, 3);"],
			["a text in instruction RAM", "ets_printf((char *)0x40100000);"],
			["a function that is none", "((void (*)(void))0x40001234)();"],
			["Cache_Read_Enable, which takes its RAM", "((void (*)(int, int, int))0x40004678)(0, 0, 0);"],
			["ets_wdt_enable with other times", "ets_wdt_enable(4, 1, 1);"],
			["an instruction that is none", '__asm__ volatile("ill");'],
			["the ROM's variables", "reg(0x3fffd000) = 1;"],
			["a jump to where nothing is", "jump(0x40100000);"],
			["a jump out of memory", "jump(0x20000000);"],
			["a jump with another stack", 'reg(0x40100000) = 1; __asm__ volatile("movi a3, 0x40100000\\n jx a3");'],
		];
		// gcc takes apart what it sees is not aligned.
		const source = `
			#define LOAD(instruction, address) __asm__ volatile(#instruction " a3, %0, 0" : : "r"(address) : "a3")
			${wrongs.map(([, code], i) => `static void wrong${i}(void) { ${code} }`).join("\n")}
			void (*const wrongs[])(void) = { ${wrongs.map((_, i) => `wrong${i}`).join(", ")} };
			void start(void) { ets_wdt_disable(); wrongs[reg(0x60001200)](); for (;;); }`;
		let bench: MachineBench;
		beforeAll(() => {
			bench = new MachineBench(source);
		});

		test.each(wrongs.map(([what], i): [string, number] => [what, i]))("%s", (_, number) => {
			bench.rtc.write(0, Uint8Array.of(number, 0, 0, 0));
			const outcome = bench.boot();
			expect(outcome).toMatchObject({ kind: "reset", cause: ResetCause.WATCHDOG });
			expect(outcome.fault).toMatch(/0x[0-9a-f]{8}|ROM/);
		});
	});

	test("RAM is noise after the reset, other noise for another seed", () => {
		const bench = body(`ets_printf("%x %x", reg(0x3fff0000), reg(0x40100000));`);
		const seen = [1, 2, 1].map((seed) => {
			bench.boot({ seed });
			return bench.uart;
		});
		expect(seen[0]).toBe(seen[2]);
		expect(seen[0]).not.toBe(seen[1]);
	});

	test("a call of the ROM leaves noise in a3 to a11", () => {
		const code = `register u32 kept __asm__("a12") = 5; register u32 lost __asm__("a7") = 5;
			__asm__ volatile("callx0 %2" : "+r"(kept), "+r"(lost) : "r"(0x400030f0) : "a0", "a2", "memory");
			ets_printf("%d %d", kept, lost == 5);`;
		expect(printed(code)).toBe("5 0");
	});
});
