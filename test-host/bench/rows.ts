/** What is compared: who sends, who receives, in which form, and with which of the Updater's switches on. */

import type { AirOptions } from "./air";
import type { Saving, Way } from "./simulation";

export interface Row {
	name: string;
	way: Way;
	/** Sent compressed, and inflated by the boot loader. */
	gzip: boolean;
	/** With two slots, of which the boot loader takes one: nothing is copied. */
	slots?: boolean;
	/** What saves time in the flash; all where not given. */
	savings?: readonly Saving[];
	/** What lies where the update goes: something else where not given, nothing, or the same. */
	staging?: "used" | "blank" | "equal";
}

/** The one that all others are compared with. */
export const CORE: Row = { name: "Arduino core, espota.py", way: "core", gzip: false };

const ways: readonly (readonly [string, Way])[] = [
	["ArduinoOTA, espota.py", "espota"],
	["ArduinoOTA, `ota8266 upload`", "upload"],
	["ArduinoOTA, `ota8266 upload`, password", "upload, password"],
	["`PUT`", "put"],
	["form", "form"],
	["poller", "poll"],
];

export const rows: readonly Row[] = [
	CORE,
	...ways.flatMap(([name, way]) => [
		{ name: `${name}, raw`, way, gzip: false },
		{ name: `${name}, gzip`, way, gzip: true },
	]),
	{ name: "`PUT`, two slots", way: "put", gzip: false, slots: true },
	{ name: "poller, two slots", way: "poll", gzip: false, slots: true },
];

const saving = (name: string, options: Partial<Row>): Row => ({
	name,
	way: "upload, password",
	gzip: false,
	...options,
});

/** What each saving brings, switched on alone, where it can bring something. */
export const savingRows: readonly Row[] = [
	saving("none", { savings: [] }),
	saving("erase ahead", { savings: ["ahead"] }),
	saving("sectors that are erased not erased, flash erased", { savings: ["erased"], staging: "blank" }),
	saving("sectors that are equal not written, flash equal", { savings: ["equal"], staging: "equal" }),
	saving("all", {}),
	saving("all, flash erased", { staging: "blank" }),
	saving("all, flash equal", { staging: "equal" }),
];

export type Condition = Pick<AirOptions, "rate" | "roundTrip" | "loss">;

/** The slow and the fast network that the goals name. */
export const SLOW: Condition = { rate: 90_000, roundTrip: 3, loss: 0 };
export const FAST: Condition = { rate: 300_000, roundTrip: 20, loss: 0 };

const lossless: readonly Condition[] = [SLOW, { ...SLOW, roundTrip: 20 }, { ...FAST, roundTrip: 3 }, FAST];

export const conditions: readonly Condition[] = [
	...lossless,
	...lossless.map((condition) => ({ ...condition, loss: 0.01 })),
];

export function conditionName({ rate, roundTrip, loss }: Condition): string {
	return `${rate / 1000} KB/s, ${roundTrip} ms, ${loss * 100} % lost`;
}
