import type { UpdateError } from "./errors";
import type { Trial } from "./trial";

/** What tells an image from another one. What is not known is empty. */
export interface ImageIdentity {
	/** Of all that was sent, 32 lower-case hexadecimal digits. */
	md5: string;
	version: string;
	/** The server's ETag. */
	tag: string;
}

/** What an update hands to the boot: an image that lies in flash, whole and verified. */
export interface Staged {
	/** Flash offset of its first byte, on a sector. */
	address: number;
	/** Bytes as staged; of a gzip the compressed ones. */
	size: number;
	/** Where a boot loader that copies brings it, a flash offset, and how many bytes it may have there. */
	destination: number;
	room: number;
	/** Bytes of a gzip once it is in its place. */
	inflated: number | undefined;
	image: ImageIdentity;
}

/** Checks a firmware as it streams by, as its boot loader would. Both say what is wrong, or undefined. */
export interface ImageScanner {
	/** Takes the file's next bytes, whole sectors until the last. Throws UpdateError WRONG_SLOT. */
	write(view: DataView, length: number): string | undefined;
	/** After the last byte, where `byteLength` of all bytes count. */
	close(byteLength?: number): string | undefined;
}

/** How the next boot finds a new image: where that is staged, and what the boot loader wants of it. */
export interface BootStrategy {
	/** Whether the boot loader inflates a gzip. One that does not would copy it as it is, over itself. */
	readonly inflates: boolean;
	/** Where the application's image begins in a firmware's file, and in the partition that runs. */
	readonly applicationOffset: number;
	/** Whether it copies what is staged to its place, so that a filesystem may be staged. */
	readonly copies: boolean;
	/** Whether a firmware's header is what the chip and the SDK then go by: flash mode and size. */
	readonly ownsHeader: boolean;
	/** Whether it is staged at the end of its partition, or at the start, where it runs. */
	readonly stagesAtEnd: boolean;
	/** Why no firmware can be updated at all. */
	readonly fault: UpdateError | undefined;
	/** For a new image, which stays what it is where the boot loader cannot go back. */
	readonly trial: Trial | undefined;
	/** What is wrong with a firmware's first sector, where that is the boot loader's. */
	firstSectorFault(sector: Uint8Array): string | undefined;
	/** A new one for an uncompressed firmware that is staged at this flash offset. */
	scanner(address: number): ImageScanner;
	/** Throws UpdateError SPACE or NO_SLOT where `select` would not end well. */
	check(staged: Staged): void;
	/**
	 * Makes the staged image the next to boot. Throws UpdateError READ, ERASE or WRITE, and leaves the choice that was.
	 * Nothing happens to the chip before `restart` where it need not.
	 */
	select(staged: Staged): void;
	/** Takes back what `select` chose; without a choice it does nothing. */
	clear(): void;
	/** Restarts the chip into what was selected, or into what runs. */
	restart(): never;
}
