/** A signature with a known answer, and the same with a bit flipped. */
import Resource from "Resource";
import board from "board";
import config from "mc/config";
import { start, stop } from "measure";
import { parseKeys } from "../../../ota/signature/key-text";
import type { PublicKey } from "../../../ota/signature/public-key";

function verify(key: PublicKey | undefined, signature: ArrayBuffer): boolean | undefined {
	const sha256 = new Resource("digest").slice(0);
	const signed = { kind: "firmware", size: 0, md5: "", signature, sha256 } as const;
	return key?.verify(signed, false, board);
}

/** The engine's heap as an update leaves it, whose sector is gone by then: it does not shrink, so collections are few. */
function leaveRoom(): void {
	new Uint8Array(4096).fill(0);
}

export default function run(): void {
	const signature = new Resource("signature").slice(0);
	start("key");
	const [key] = parseKeys(String(config.key));
	stop();
	leaveRoom();
	start("verify");
	const isVerified = verify(key, signature);
	stop();
	trace(`right: ${isVerified}\n`);
	const bytes = new Uint8Array(signature);
	const last = bytes.length - 1;
	bytes[last] = (bytes[last] ?? 0) ^ 1;
	trace(`forged: ${verify(key, signature)}\n`);
}
