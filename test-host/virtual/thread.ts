/** What the Node engine and its thread tell each other. */
import type { EngineStart } from "./engine";

export interface ThreadStart extends Omit<EngineStart, "control" | "rtc"> {
	/** Shared memory of the flash's control, and RTC memory. */
	control: SharedArrayBuffer;
	rtc: SharedArrayBuffer;
}

export type ThreadMessage = { uart: string } | { listening: { protocol: "udp" | "tcp"; port: number } };

/** Milliseconds between two beats for the watchdog. */
export const HEARTBEAT = 50;
