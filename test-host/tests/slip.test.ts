import fc from "fast-check";
import { expect, test } from "vitest";
import { SlipDecoder, slipFrame } from "../virtual/serial/slip";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (packets: readonly Uint8Array[]) => packets.map((packet) => Buffer.from(packet).toString("hex"));
/** Bytes with many that SLIP treats in its own way. */
const packet = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((given) => {
	const special = [0xc0, 0xdb, 0xdc, 0xdd];
	return given.map((byte) => (byte < 128 ? (special[byte % 4] ?? 0) : byte));
});

/** RFC 1055's rules, by hand. */
test.each([
	["01", "c001c0"],
	["c0", "c0dbdcc0"],
	["db", "c0dbddc0"],
	["00c0db00", "c000dbdcdbdd00c0"],
	["dcdd", "c0dcddc0"],
])("%s goes over the line as %s", (plain, framed) => {
	expect(hex([slipFrame(bytes(plain))])).toEqual([framed]);
	expect(hex(new SlipDecoder(16).push(bytes(framed)))).toEqual([plain]);
});

test("packets come out as they went in, whatever the pieces and the noise before the first", () => {
	fc.assert(
		fc.property(
			fc.array(packet, { maxLength: 5 }),
			fc.uint8Array({ maxLength: 8 }).map((noise) => noise.filter((byte) => byte !== 0xc0)),
			fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
			(packets, noise, cuts) => {
				const line = Buffer.concat([noise, ...packets.map(slipFrame)]);
				const decoder = new SlipDecoder(64);
				const found: Uint8Array[] = [];
				for (let at = 0, i = 0; at < line.length; i++) {
					const next = at + (cuts[i % cuts.length] ?? 1);
					found.push(...decoder.push(line.subarray(at, next)));
					at = next;
				}
				expect(hex(found)).toEqual(hex(packets));
			},
		),
	);
});

test("whatever comes, nothing longer than allowed comes out, and the next packet is whole", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), packet, (garbage, wanted) => {
			const decoder = new SlipDecoder(64);
			for (const found of decoder.push(garbage)) expect(found.length).toBeLessThanOrEqual(64);
			// The first C0 ends what the garbage began.
			expect(hex(decoder.push(Uint8Array.of(0xc0, ...slipFrame(wanted)))).at(-1)).toBe(hex([wanted])[0]);
		}),
	);
});

test.each([
	["a wrong escape", "c0db00c0", []],
	["an escape at the end", "c001dbc0", []],
	["a wrong escape, and a good packet behind it", "c0dbc0c002c0", ["02"]],
	["empty packets", "c0c0c0c0", []],
	["bytes before the first packet", "0102c003c0", ["03"]],
	["a packet that has one byte too many", "c00102030405c0c006c0", ["06"]],
	["a packet that just fits", "c001020304c0", ["01020304"]],
])("%s: %s gives %j", (_, line, packets) => {
	expect(hex(new SlipDecoder(4).push(bytes(line)))).toEqual(packets);
});
