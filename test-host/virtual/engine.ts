/** What runs the application of the virtual board: a thread of Node, or the XS engine in a process of its own. */
import type { Module, Resource } from "./modules";
import type { NorControl } from "./nor";
import type { RtcMemory } from "./rtc";

/** What an application starts with. */
export interface EngineStart {
	/** The application, as the boot loader found it in flash. */
	modules: readonly Module[];
	resources: readonly Resource[];
	flashFile: string;
	/** Flash offset of the image that runs. */
	imageAddress: number;
	control: NorControl;
	rtc: RtcMemory;
	/** Six bytes. */
	mac: Uint8Array;
	bootMode: number;
	resetReason: string;
	/** For DNS-SD on this machine. */
	mdns: { interface?: string; port?: number };
}

export interface EngineEvents {
	onUART(text: string): void;
	onListening(protocol: "udp" | "tcp", port: number): void;
	/** Once, with one of Exit's values, or another one for a crash. */
	onExit(code: number): void;
}

/** One run of an application, from a reset to the next. */
export interface Run {
	/** Ends it in the middle of whatever it does, without `onExit`. */
	stop(): Promise<void>;
}

export interface Engine {
	/** Where the control's words are to be, so that the application's side sees them. */
	createControl(): NorControl;
	run(start: EngineStart, events: EngineEvents): Run;
	/** Puts away what it has made on the disk. */
	close(): void;
}

/** How an application ended, as its exit code. Any other is a crash. */
export const Exit = Object.freeze({ RESTART: 100, POWER_CUT: 101 } as const);
