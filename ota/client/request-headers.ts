import { toBase64 } from "../base64";
import type { Resumable, Staged } from "../resume";
import type { HTTPUpdateOptions, Question } from "./http-update";
import { type Address, sameOrigin } from "./url";

/** As the core's: a firmware, a filesystem, or only which version there is. */
export type Mode = "sketch" | "spiffs" | "version";

/** Who asks. */
export interface Credentials {
	/** Basic. */
	user?: string | undefined;
	password?: string | undefined;
	/** Bearer, in their place. */
	token?: string | undefined;
}

/** The lines behind the user agent's that the ESP8266 Arduino core's ESP8266HTTPUpdate sends, and two of ours that begin with x-ota8266. */
export function requestHeaders(
	options: HTTPUpdateOptions,
	{ mode, version, address }: Question,
	server: Address,
	known: (Resumable & { staged: Staged }) | undefined,
): string {
	const { board, running, updater, user, password, token } = options;
	let lines = `x-ESP8266-Chip-ID: ${board.chipId}\r
x-ESP8266-STA-MAC: ${board.stationMAC}\r
x-ESP8266-AP-MAC: ${board.accessPointMAC}\r
x-ESP8266-free-space: ${updater.freeSpace("firmware")}\r
x-ESP8266-sketch-size: ${running.size}\r
x-ESP8266-sketch-md5: ${running.md5 ?? ""}\r
x-ESP8266-chip-size: ${board.flashSize}\r
x-ESP8266-sdk-version: ${board.sdkVersion}\r
x-ESP8266-mode: ${mode}\r
x-ota8266: 1${updater.inflates ? " gzip" : ""}${updater.verifies ? " signed" : ""}${updater.stages("filesystem") ? " atomic" : ""}`;
	if (updater.slot !== undefined) lines += ` slot=${updater.slot.toString(16)}`;
	if (running.name) lines += `\r\nx-ota8266-name: ${running.name}`;
	if (version) lines += `\r\nx-ESP8266-version: ${version}`;
	// To another server than the first one they would be given away.
	const isFirst = sameOrigin(address, server);
	if (isFirst && token) lines += `\r\nauthorization: Bearer ${token}`;
	else if (isFirst && user) lines += `\r\nauthorization: Basic ${toBase64(`${user}:${password ?? ""}`)}`;
	if (known) lines += `\r\nrange: bytes=${known.staged.byteLength}-\r\nif-range: ${validatorOf(known)}`;
	return lines;
}

/** What the server has to have still: its ETag, or where it told none the MD5 in the form of one. */
function validatorOf({ tag, md5 }: Resumable): string {
	return tag === "" ? `"${md5}"` : tag;
}
