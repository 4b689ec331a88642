/** The modules of modules/: for the host's compiler, and by the manifest for the SDK's. */
declare module "board" {
	const board: import("../ota/board").Board;
	export default board;
}

declare module "embedded:storage/flash" {
	interface FlashStatus {
		size: number;
		blockLength: number;
		blocks: number;
		writeAlign: number;
		eraseValue: number;
		/** Ours: the flash offset of the partition's first byte, which a boot loader needs to know. */
		address: number;
	}
	interface FlashOptions {
		path: string;
		mode?: "r" | "r+";
		format?: "buffer";
	}
	interface Flash {
		read(byteLength: number, byteOffset: number): ArrayBuffer;
		read(buffer: ByteBuffer, byteOffset: number): number;
		write(buffer: ByteBuffer, byteOffset: number): void;
		/** Ours: whether the flash holds these bytes. */
		equals(buffer: ByteBuffer, byteOffset: number): boolean;
		/** Ours: whether a block is erased. */
		isErased(block: number): boolean;
		/** In blocks; `end`, not included, is `start` + 1 where not given. */
		eraseBlock(start: number, end?: number): void;
		status(): FlashStatus;
		close(): void;
		format: "buffer";
	}
	const flash: {
		open(options: FlashOptions): Flash;
		[Symbol.iterator](): IterableIterator<string>;
	};

	export type { Flash, FlashOptions, FlashStatus };
	export default flash;
}

declare module "embedded:update" {
	import type { Flash } from "embedded:storage/flash";

	interface UpdateOptions {
		/** An open partition `nextota`. */
		partition: Flash;
		/** "a": each write appends; "w": each write tells its place. */
		mode?: "a" | "w";
		byteLength?: number;
		format?: "buffer";
	}
	interface Update {
		write(bytes: ByteBuffer, byteOffset?: number): void;
		/** Verifies, and makes it the next to boot. */
		complete(): void;
		/** Abandons what is not complete. */
		close(): void;
		format: "buffer";
	}
	const update: {
		open(options: UpdateOptions): Update;
	};
	/** Ours: the Updater that updates are made with from now on, since there must be one only. */
	function useUpdater(updater: import("../ota/updater").Updater): void;

	export type { Update, UpdateOptions };
	export { useUpdater };
	export default update;
}
