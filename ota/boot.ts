/** What an update hands to the boot: an image that lies in flash, whole and verified. */
export interface Staged {
	/** Flash offset of its first byte, on a sector. */
	address: number;
	/** Bytes as staged; of a gzip the compressed ones. */
	size: number;
	/** Where it is to go, a flash offset. */
	destination: number;
}

/** How the next boot finds a new image. */
export interface BootStrategy {
	/** Whether the boot loader inflates a gzip. One that does not would copy it as it is, over itself. */
	readonly inflates: boolean;
	/** Makes the staged image the next to boot. Nothing happens to the chip before `restart` where it need not. */
	select(staged: Staged): void;
	/** Takes back what `select` chose; without a choice it does nothing. */
	clear(): void;
	/** Restarts the chip into what was selected, or into what runs. */
	restart(): never;
}
