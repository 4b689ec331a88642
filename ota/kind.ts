/** What can be updated. */
export type UpdateKind = "firmware" | "filesystem";

export interface Place {
	/** The partition that the bytes are written to. */
	readonly staging: string;
	/** The partition where they lie once the update has taken effect. */
	readonly target: string;
	/** The number of the kind in ArduinoOTA's messages, which is the core's Updater command. */
	readonly command: number;
}

const places: Readonly<Record<UpdateKind, Place>> = Object.freeze({
	firmware: Object.freeze({ staging: "nextota", target: "running", command: 0 }),
	filesystem: Object.freeze({ staging: "storage", target: "storage", command: 100 }),
});

/** A filesystem that is staged as a firmware is, for the boot loader to bring to its place. */
const atomicFilesystem: Place = Object.freeze({ ...places.filesystem, staging: places.firmware.staging });

export function placeOf(kind: UpdateKind, atomic = false): Place {
	return atomic && kind === "filesystem" ? atomicFilesystem : places[kind];
}

/** Whether the boot loader is to bring it from where it is written to where it takes effect. */
export function isStaged({ staging, target }: Place): boolean {
	return staging !== target;
}

/** The kind of a command number, or undefined. */
export function kindOf(command: number): UpdateKind | undefined {
	if (command === places.firmware.command) return "firmware";
	return command === places.filesystem.command ? "filesystem" : undefined;
}
