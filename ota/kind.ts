/** What can be updated. */
export type UpdateKind = "firmware" | "filesystem";

interface Place {
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

export function placeOf(kind: UpdateKind): Place {
	return places[kind];
}

/** The kind of a command number, or undefined. */
export function kindOf(command: number): UpdateKind | undefined {
	if (command === places.firmware.command) return "firmware";
	return command === places.filesystem.command ? "filesystem" : undefined;
}
