/** A chip for the shims of one test, and patience for what they tell. */
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { type Chip, insertChip } from "../virtual/chip";
import { layoutFor } from "../virtual/layout";
import { RtcMemory } from "../virtual/rtc";
import { temporaryFlash } from "./temporary-flash";

/** What `restart` throws, where nothing can run afterwards. */
export class Restart extends Error {}

/** Inserts a chip with an erased flash of `size` bytes until the test ends. */
export function chipForTest(chip: Partial<Chip> = {}, size = 0x100000): Chip {
	const inserted: Chip = {
		flash: temporaryFlash({ size }),
		rtc: new RtcMemory(),
		layout: layoutFor(size),
		mac: Uint8Array.of(0x5c, 0xcf, 0x7f, 0xa1, 0xb2, 0xc3),
		bootMode: 3,
		resetReason: "power on",
		mdns: {},
		uart: () => {},
		listening: () => {},
		restart: () => {
			throw new Restart();
		},
		...chip,
	};
	insertChip(inserted);
	onTestFinished(() => insertChip(undefined));
	return inserted;
}

/** Returns when `condition` holds; the event loop turns meanwhile. */
export async function until(condition: () => boolean): Promise<void> {
	for (const deadline = Date.now() + 3000; !condition(); await turn()) {
		if (Date.now() > deadline) throw new Error("waited in vain");
	}
}

/** Long enough for anything on this machine to arrive that was sent before. */
export async function quiet(): Promise<void> {
	await pause(15);
}

/** Receivers that are none of these methods' own. */
export const foreignReceivers: readonly unknown[] = [{}, [], "text", 5, undefined, new Date()];

/** All methods and accessors of `prototype`, each to be called on a receiver. */
export function membersOf(prototype: object): [name: string, call: (receiver: unknown) => unknown][] {
	const members: [string, (receiver: unknown) => unknown][] = [];
	for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
		if (name === "constructor") continue;
		const { get, value } = property;
		members.push([name, (receiver) => Reflect.apply(get ?? value, receiver, [])]);
	}
	return members;
}
