/** What is not worth sending. */
import { type Kind, latest } from "./status";
import { grouped } from "./text";

/**
 * Why a file is not worth sending to this board, and what to do; undefined if it is. `head`: its first two
 * bytes. Without a status, what only the board knows is left to it.
 */
export function refusal(
	kind: Kind,
	byteLength: number,
	head: Uint8Array,
): [why: string, advice: string] | undefined {
	const [first = 0, second] = head;
	const room = latest?.status.freeSpace[kind] ?? byteLength;
	if (!byteLength) return ["This file is empty.", "It has 0 bytes. Build it again, or choose another one."];
	if (kind === "firmware" && first !== 0xe9) {
		if (first !== 0x1f || second !== 0x8b)
			return [
				"This is no firmware for the ESP8266.",
				`It begins with 0x${first.toString(16).toUpperCase().padStart(2, "0")}; a firmware begins with 0xE9, a gzip with 0x1F 0x8B. Choose the .bin of your build.`,
			];
		if (latest?.status.gzip === false)
			return ["This board takes no gzip.", "Its boot loader does not unpack it. Choose the plain .bin."];
	}
	if (byteLength > room)
		return [
			"This file is too large.",
			`It has ${grouped(byteLength)} bytes, the board has room for ${grouped(room)}: ${grouped(byteLength - room)} too many.`,
		];
	return;
}
