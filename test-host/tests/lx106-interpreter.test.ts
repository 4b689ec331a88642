/** The machine that boot code runs on, held against QEMU's lx106. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Clock } from "../lx106/boot/clock";
import { Machine } from "../lx106/boot/machine";
import { COMPILER, objcopySection, readelfSections } from "../lx106/link";
import { EMULATOR, lacks } from "../lx106/toolchain";
import { root } from "../virtual/bundle";
import { DATA_LENGTH, ENTRY_WORDS, RandomProgram } from "./random-program";
import { temporaryFolder } from "./signing-bench";

const lacking = process.env.CI ? undefined : lacks();
const name = `the machine for boot code${lacking ? ` (skipped: ${lacking})` : ""}`;
const COUNT = 40_000;
const LOG = 4 * (Math.floor(DATA_LENGTH / 4) + 1);

/** Assembled and linked for QEMU's machine \`sim\`. */
function assemble(text: string): string {
	const file = join(temporaryFolder(), "random");
	writeFileSync(`${file}.s`, text);
	const script = join(root, "test-host/lx106/machine/sim.ld");
	execFileSync(COMPILER, ["-nostdlib", "-nostartfiles", `-T${script}`, "-o", file, `${file}.s`]);
	return file;
}

function runInQEMU(file: string): Buffer {
	const options = ["-machine", "sim", "-cpu", "lx106", "-m", "96M", "-semihosting", "-nographic"];
	const quiet = ["-monitor", "none", "-serial", "none", "-kernel", file];
	return execFileSync(EMULATOR, [...options, ...quiet], { maxBuffer: 1 << 26, timeout: 15_000 });
}

function runInMachine(file: string): Buffer {
	const place = (section: string) => {
		const found = readelfSections(file).find((each) => each.name === section);
		return { start: found?.address ?? 0, bytes: new Uint8Array(objcopySection(file, section)) };
	};
	const code = place(".text");
	const data = place(".data");
	const window = { start: data.start, length: (data.bytes.length + 3) & ~3 };
	const machine = new Machine(window, { start: 0x40100000, length: 16 });
	machine.ram.d8.set(data.bytes);
	const clock = new Clock();
	const end = machine.run({ code: { ...code, window }, entry: code.start, clock, limit: 1e8, seed: 1 });
	expect(end).toBe("away");
	return Buffer.from(machine.ram.d8);
}

describe.skipIf(lacking !== undefined)(name, () => {
	test.each([1, 2, 3])("agrees with QEMU on 40,000 random instructions, of seed %i", (seed) => {
		const file = assemble(new RandomProgram(seed).text(COUNT));
		const expected = runInQEMU(file);
		const found = runInMachine(file);
		const entry = (log: Buffer, i: number) =>
			Array.from({ length: ENTRY_WORDS }, (_, word) =>
				log.readUInt32LE(LOG + 4 * (ENTRY_WORDS * i + word)).toString(16),
			);
		const entries = (expected.length - LOG) / (4 * ENTRY_WORDS);
		expect(entries).toBeGreaterThan(COUNT / 40);
		for (let i = 0; i < entries; i++) {
			expect(entry(found, i), `entry ${i} of the log`).toEqual(entry(expected, i));
		}
		expect(found.equals(expected)).toBe(true);
	});
});
