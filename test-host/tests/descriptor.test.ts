import fc from "fast-check";
import { expect, test } from "vitest";
import {
	DESCRIPTOR_LENGTH,
	DESCRIPTOR_OFFSET,
	NAME_LENGTH,
	readDescriptor,
	readText,
	VERSION_LENGTH,
	writeDescriptor,
	writeText,
} from "../../ota/descriptor";

function written(name: string, version: string, confirms = false): DataView {
	const view = new DataView(new ArrayBuffer(DESCRIPTOR_LENGTH));
	writeDescriptor(view, 0, { name, version, confirms });
	return view;
}

test("it lies 16 bytes into the first segment: at file offset 4128", () => {
	expect(DESCRIPTOR_OFFSET).toBe(4128);
});

test("its 64 bytes: OTA8, format 1, a flag, name from byte 8, version from byte 32", () => {
	const bytes = new Uint8Array(written("lamp", "1.2.3").buffer);
	expect(new Uint8Array(written("lamp", "1.2.3", true).buffer).subarray(4, 8)).toEqual(
		Uint8Array.of(1, 0, 1, 0),
	);
	expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("OTA8");
	expect(bytes.subarray(4, 8)).toEqual(Uint8Array.of(1, 0, 0, 0));
	expect(new TextDecoder().decode(bytes.subarray(8, 13))).toBe("lamp\0");
	expect(new TextDecoder().decode(bytes.subarray(32, 38))).toBe("1.2.3\0");
});

const text = (length: number) => fc.string({ unit: "grapheme-ascii", maxLength: length });

test("property: names and versions of printable ASCII come back", () => {
	fc.assert(
		fc.property(text(NAME_LENGTH), text(VERSION_LENGTH), fc.boolean(), (name, version, confirms) => {
			expect(readDescriptor(written(name, version, confirms), 0)).toEqual({ name, version, confirms });
		}),
	);
});

test("text as long as its field fills it without a zero, longer text is cut there", () => {
	const name = "n".repeat(NAME_LENGTH);
	const version = "v".repeat(VERSION_LENGTH);
	expect(readDescriptor(written(`${name}x`, `${version}x`), 0)).toMatchObject({ name, version });
});

test("text ends at the first character that is no printable ASCII", () => {
	expect(readDescriptor(written("läm", "1\n2"), 0)).toMatchObject({ name: "l", version: "1" });
});

test("where the magic or the format is another, there is none", () => {
	for (const offset of [0, 3, 4, 5]) {
		const view = written("lamp", "1");
		view.setUint8(offset, view.getUint8(offset) ^ 1);
		expect(readDescriptor(view, 0)).toBeUndefined();
	}
});

test("flags that are not known yet do not matter", () => {
	const view = written("lamp", "1");
	view.setUint16(6, 0xfffe, true);
	expect(readDescriptor(view, 0)).toEqual({ name: "lamp", version: "1", confirms: false });
});

test("a view that ends one byte too early holds none", () => {
	const { buffer } = written("lamp", "1");
	expect(readDescriptor(new DataView(buffer, 0, DESCRIPTOR_LENGTH - 1), 0)).toBeUndefined();
	expect(readDescriptor(new DataView(buffer), 1)).toBeUndefined();
});

test("erased flash holds none", () => {
	expect(readDescriptor(new DataView(new Uint8Array(64).fill(0xff).buffer), 0)).toBeUndefined();
});

test("writing text leaves its neighbours alone and clears what was in the field", () => {
	const view = new DataView(new Uint8Array(8).fill(0x41).buffer);
	writeText(view, 2, 4, "b");
	expect(new Uint8Array(view.buffer)).toEqual(Uint8Array.of(0x41, 0x41, 0x62, 0, 0, 0, 0x41, 0x41));
	expect(readText(view, 2, 4)).toBe("b");
});
