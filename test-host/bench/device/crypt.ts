/** In the place of shims/crypt.ts: the same digests, which take the time that they take on the chip. */
import { Digest as HostDigest } from "../../shims/crypt";
import { MD5, timeOf } from "../figures";
import { machine } from "../machine";

export class Digest extends HostDigest {
	override write(data: string | ArrayBuffer | Uint8Array): void {
		machine().cpu.compute(timeOf(MD5 * (typeof data === "string" ? data.length : data.byteLength)));
		super.write(data);
	}
}
