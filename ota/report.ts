import type { ErrorCode } from "./errors";
import type { UpdateKind } from "./kind";
import type { Verdict } from "./verdict";

/** What became of the last update, for people and their tools. */
export interface UpdateReport {
	kind: UpdateKind;
	/** `verified`: staged and chosen, the restart is to come. The last two: after the restart. */
	result: "running" | "failed" | "verified" | "took effect" | "did not take effect";
	/** Why it failed. */
	error: { code: ErrorCode; text: string } | null;
	/** Bytes taken. */
	bytes: number;
	/** Milliseconds from its opening to its end. */
	ms: number;
	/** The receiver and the peer's address: `ArduinoOTA 192.168.1.20`. */
	from: string;
}

/** What a verdict says of the update before the restart. */
export function reportOf({ kind, tookEffect, size, ms, from }: Verdict): UpdateReport {
	const result = tookEffect ? "took effect" : "did not take effect";
	return { kind, result, error: null, bytes: size, ms, from };
}
