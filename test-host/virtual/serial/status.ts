/** How a loader answers: the ROM's errors follow a 1, the stub's stand for themselves. */

/** The ROM's, by Espressif's table. */
export const RomError = Object.freeze({
	FORMAT: 0x05,
	FAILED: 0x06,
	CHECKSUM: 0x07,
	FLASH_WRITE: 0x08,
	RAM_SIZE: 0x0e,
	RAM_ADDRESS: 0x0f,
} as const);

/** The stub's. */
export const StubError = Object.freeze({
	DATA_LENGTH: 0xc0,
	CHECKSUM: 0xc1,
	BLOCK_SIZE: 0xc2,
	FLASH: 0xc4,
	NO_FLASH_MODE: 0xc6,
	INFLATE: 0xc7,
	TOO_LITTLE: 0xc8,
	TOO_MUCH: 0xc9,
	NOT_IMPLEMENTED: 0xff,
} as const);

/** What a loader has to say to a request. Error 0 is none. */
export interface Reply {
	error: number;
	value?: number;
	/** In front of the status. */
	data?: Uint8Array;
	/** How often it is said; once where not given. */
	times?: number;
	/** Comes after the reply: what the chip does then. */
	next?: Next | undefined;
}

/**
 * - run: the program in flash is started, by a jump
 * - reset: the chip restarts, with the strapping that it has
 * - stub: the program in RAM is started, which is a stub
 * - unknown program: likewise, but it is another one
 */
export type Next = "run" | "reset" | "stub" | "unknown program";

export const done: Reply = Object.freeze({ error: 0 });
export const failed = (error: number): Reply => ({ error });
