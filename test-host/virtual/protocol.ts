/** What the board and the thread that runs its application tell each other. */

/** Handed to the thread when it starts. */
export interface ApplicationStart {
	/** The application, as the boot loader found it in flash. */
	script: string;
	flashFile: string;
	flashControl: SharedArrayBuffer;
	rtc: SharedArrayBuffer;
	/** One Int32, counted up as long as the event loop turns: the watchdog's food. */
	heartbeat: SharedArrayBuffer;
	mac: Uint8Array;
	bootMode: number;
	resetReason: string;
	mdns: { interface?: string; port?: number };
	/** Overrides of the manifest's `config`. */
	settings: Readonly<Record<string, string | number | boolean>>;
}

export type ApplicationMessage = { uart: string } | { listening: { protocol: "udp" | "tcp"; port: number } };

/** How the thread ended, as its exit code. Any other is a crash. */
export const Exit = Object.freeze({ RESTART: 100, POWER_CUT: 101 } as const);

/** Milliseconds between two beats. */
export const HEARTBEAT = 50;
/** The module name by which an application finds its overrides. */
export const SETTINGS_MODULE = "virtual:settings";
