import { ErrorCode, UpdateError } from "./errors";
import type { RunningFirmware } from "./running";
import type { Trial } from "./trial";

/** Of what a server was asked for: throws UpdateError RUNS_ALREADY or ROLLED_BACK where the image with this MD5 is no news. */
export function refuseKnownImage(md5: string, running: RunningFirmware, trial: Trial | undefined): void {
	if (running.md5 === md5) throw new UpdateError(ErrorCode.RUNS_ALREADY);
	if (trial?.refuses({ md5, version: "", tag: "" })) throw new UpdateError(ErrorCode.ROLLED_BACK);
}
