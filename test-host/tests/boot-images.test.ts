/** Applications of every shape: the boot loader's machine code and its model must start the same ones. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SECTOR } from "../../ota/image";
import { buildImage, fillPackerWords, joinImages } from "../../tools/image/build-image";
import { NO_PREVIOUS } from "../judge/places";
import { Noise } from "../virtual/noise";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

/** Around each border of what a segment may be loaded to, or mapped at. */
const borders = [
	0x3ffe8000, 0x3fffc000, 0x40000000, 0x40100000, 0x4010c000, 0x4010e000, 0x4010f000, 0x40200000, 0x40300000,
	0x60000000,
];
const address = fc.oneof(
	{ weight: 3, arbitrary: fc.constantFrom(0x3ffe8000, 0x40100000, 0x40201010) },
	{
		weight: 2,
		arbitrary: fc
			.tuple(fc.constantFrom(...borders), fc.integer({ min: -0x1200, max: 0x100 }))
			.map(([border, offset]) => border + (offset & ~3)),
	},
	{ weight: 1, arbitrary: fc.tuple(fc.constantFrom(...borders), fc.nat(7)).map(([border, n]) => border + n) },
);
const length = fc.oneof(
	{ weight: 3, arbitrary: fc.nat(40) },
	{ weight: 1, arbitrary: fc.nat(0x2400) },
	{ weight: 1, arbitrary: fc.constantFrom(0, 0x1000, 0x1010, 0x1200) },
);
const CODE = { address: 0x40100000, length: 32 };
const image = fc.record({
	segments: fc
		.array(fc.record({ address, length }), { maxLength: 3 })
		.chain((some) => fc.shuffledSubarray([CODE, ...some], { minLength: some.length })),
	/** Where in a segment; mostly in that of code. */
	entry: fc.tuple(fc.integer({ min: -8, max: 3 }), fc.integer({ min: -4, max: 36 })),
	isPacked: fc.boolean(),
	/** A bit of its first words, or of its last ones. */
	change: fc.option(fc.tuple(fc.integer({ min: -20, max: 40 }), fc.nat(7)), { freq: 2 }),
});

withCompiler("the boot loader's machine code and its model", () => {
	const bench = new JudgeBench();
	const { judged } = bench;

	const ending = (segments: readonly { address: number; length: number }[], entry = CODE.address) => {
		const data = segments.map(({ address, length }) => ({ address, data: new Uint8Array(length) }));
		bench.insert(NO_PREVIOUS);
		judged.put(SECTOR, buildImage({ segments: data, entry }));
		return judged.start();
	};

	test.each([
		["instruction RAM, up to the second stage", 0x4010b000, 0x3000],
		["data RAM, up to the ROM's variables", 0x3fffb000, 0x1000],
		["what the flash cache maps", 0x402ff000, 0x1000],
	])("take a segment in %s, and none that is a word longer", (_, address, length) => {
		expect(ending([CODE, { address, length }])).toBe("application");
		expect(ending([CODE, { address, length: length + 4 }])).toBe("waits");
	});

	test("take 16 segments, and no segment fewer than one", () => {
		expect(ending(Array(16).fill(CODE))).toBe("application");
		expect(ending([])).toBe("waits");
	});

	test("take an entry in the segment's first and last word, and none behind it", () => {
		expect(ending([CODE], CODE.address)).toBe("application");
		expect(ending([CODE], CODE.address + CODE.length - 4)).toBe("application");
		expect(ending([CODE], CODE.address + CODE.length)).toBe("waits");
	});

	test("property: start the same images, and load the same of them", { timeout: 60_000 }, () => {
		let started = 0;
		fc.assert(
			fc.property(image, fc.nat(), ({ segments, entry, isPacked, change }, seed) => {
				const noise = new Noise(seed);
				const start = (segments[entry[0]] ?? CODE).address + entry[1];
				const application = buildImage({
					segments: segments.map(({ address, length }) => ({
						address,
						data: noise.fill(new Uint8Array(length)),
					})),
					entry: Math.max(0, start),
				});
				const file = joinImages(new Uint8Array(), application);
				// Both are 0 when the checksum is made, as the packer has it.
				if (isPacked && file.length > 0x1020) {
					file[file.length - 1] = (file[file.length - 1] ?? 0) ^ xor(file.subarray(0x1010, 0x1018));
					file.fill(0, 0x1010, 0x1018);
					fillPackerWords(file);
				}
				if (change) {
					const at = change[0] < 0 ? file.length + change[0] : SECTOR + change[0];
					file[at] = (file[at] ?? 0) ^ (1 << change[1]);
				}
				bench.insert(NO_PREVIOUS);
				judged.put(SECTOR, file.subarray(SECTOR, NO_PREVIOUS.applicationEnd));
				const ending = judged.start();
				expect(ending).toMatch(/^(application|waits)$/);
				if (ending === "application") started += 1;
			}),
			{ numRuns: 3000 },
		);
		expect(started).toBeGreaterThan(200);
		expect(started).toBeLessThan(2000);
	});
});

function xor(bytes: Uint8Array): number {
	return bytes.reduce((sum, byte) => sum ^ byte, 0);
}
