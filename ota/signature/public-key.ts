import type { Board } from "../board";
import type { UpdateKind } from "../kind";
import type { Signed } from "./payload";

/** What a signature is verified with. */
export interface PublicKey {
	/** For this kind of image only; for each where not given. */
	readonly kind: UpdateKind | undefined;
	/** Whether a signature of this key can have so many bytes. */
	fits(byteLength: number): boolean;
	/**
	 * Whether the signature is this key's. `allowLegacy`: RSA's padding may be around the digest alone. Takes up to
	 * seconds, and feeds the board's watchdog meanwhile.
	 */
	verify(signed: Signed, allowLegacy: boolean, board: Board): boolean;
}
