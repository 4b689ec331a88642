/** What the SDK's typings of `crypt` leave out; the manifest names this file to the SDK's compiler. */
import "crypt";

declare module "crypt" {
	interface Digest {
		/** Views too. */
		write(data: ByteBuffer): void;
	}
}
