import type { Board } from "./board";
import type { BootStrategy, ImageScanner, Staged } from "./boot";
import type { UpdateError } from "./errors";
import { APPLICATION_OFFSET, ApplicationScanner } from "./image";
import type { Trial } from "./trial";

/** What boot loaders have in common that copy what is staged to its place: a firmware to flash 0, from which it runs. */
export abstract class CopyingStrategy implements BootStrategy {
	protected readonly board: Board;
	abstract readonly inflates: boolean;
	abstract readonly ownsHeader: boolean;
	abstract readonly fault: UpdateError | undefined;
	abstract readonly trial: Trial | undefined;

	constructor(board: Board) {
		this.board = board;
	}

	// Of the class, where they take no memory.
	get copies(): boolean {
		return true;
	}
	get applicationOffset(): number {
		return APPLICATION_OFFSET;
	}
	get stagesAtEnd(): boolean {
		return true;
	}

	scanner(): ImageScanner {
		return new ApplicationScanner();
	}

	abstract firstSectorFault(sector: Uint8Array): string | undefined;
	abstract check(staged: Staged): void;
	abstract select(staged: Staged): void;
	abstract clear(): void;
	abstract restart(): never;
}
