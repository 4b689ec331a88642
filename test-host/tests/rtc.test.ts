import { expect, test } from "vitest";
import { COMMAND_LENGTH, decodeCommand } from "../../ota/eboot";
import { RTC_LENGTH, RtcMemory } from "../virtual/rtc";

function content(rtc: RtcMemory): Uint8Array {
	const bytes = new Uint8Array(RTC_LENGTH);
	rtc.read(0, bytes);
	return bytes;
}

test("what was written is read back, by everything on the same memory", () => {
	const rtc = new RtcMemory();
	new RtcMemory({ buffer: rtc.buffer }).write(508, Uint8Array.of(1, 2, 3, 4));
	const word = new Uint8Array(4);
	rtc.read(508, word);
	expect(word).toEqual(Uint8Array.of(1, 2, 3, 4));
});

test.each([
	[2, 4],
	[0, 3],
	[-4, 4],
	[512, 4],
	[508, 8],
])("offset %i with %i bytes is a RangeError: words inside the memory only", (offset, length) => {
	const rtc = new RtcMemory();
	const before = content(rtc);
	expect(() => rtc.read(offset, new Uint8Array(length))).toThrow(RangeError);
	expect(() => rtc.write(offset, new Uint8Array(length))).toThrow(RangeError);
	expect(content(rtc)).toEqual(before);
});

test("after power-up it holds noise, other noise each time, never a command", () => {
	const rtc = new RtcMemory();
	const first = content(rtc);
	expect(new Set(first).size).toBeGreaterThan(100);
	rtc.powerOff();
	const second = content(rtc);
	expect(second).not.toEqual(first);
	expect(decodeCommand(second.subarray(0, COMMAND_LENGTH))).toBeUndefined();
});

test("the same seed gives the same noise, another seed other noise", () => {
	expect(content(new RtcMemory({ seed: 7 }))).toEqual(content(new RtcMemory({ seed: 7 })));
	expect(content(new RtcMemory({ seed: 8 }))).not.toEqual(content(new RtcMemory({ seed: 7 })));
});
