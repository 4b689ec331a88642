/** The chip that the code of this thread runs on: what the shims of the SDK's modules stand on. */
import type { Layout } from "./layout";
import type { NorFlash } from "./nor";
import type { RtcMemory } from "./rtc";

export interface Chip {
	readonly flash: NorFlash;
	readonly rtc: RtcMemory;
	readonly layout: Layout;
	/** Flash offset of the image that the boot loader has started; eboot's where not given. */
	readonly imageAddress?: number;
	/** Six bytes of the station's MAC address. */
	readonly mac: Uint8Array;
	/** The strapping pins read at reset: 3 starts from flash, 1 is UART download. */
	readonly bootMode: number;
	readonly resetReason: string;
	/** The application's resources, by name; none where not given. */
	readonly resources?: ReadonlyMap<string, Uint8Array>;
	/** For DNS-SD on this machine: interface (an address) and port; the system's choice where not given. */
	readonly mdns: { interface?: string; port?: number };
	/** Writes to the UART. */
	uart(text: string): void;
	/** Tells the world which port a socket got. */
	listening(protocol: "udp" | "tcp", port: number): void;
	/** Where given, sees the LED go on and off. */
	led?(on: boolean): void;
	/** Restarts the chip; nothing of this thread runs afterwards. */
	restart(): never;
}

let inserted: Chip | undefined;

/** Makes `chip` the one that this thread's shims stand on. */
export function insertChip(chip: Chip | undefined): void {
	inserted = chip;
}

/** The chip of this thread. */
export function chip(): Chip {
	if (!inserted) throw new Error("no chip in this thread");
	return inserted;
}

/** A NodeMCU after power-on that nobody listens to. */
export const QUIET = {
	mac: Uint8Array.of(0x18, 0xfe, 0x34, 0xab, 0xcd, 0xef),
	bootMode: 3,
	resetReason: "Power On",
	mdns: {},
	uart: () => {},
	listening: () => {},
} satisfies Partial<Chip>;
