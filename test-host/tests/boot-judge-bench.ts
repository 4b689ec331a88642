/** The boot loader's machine code on judged boards. */
import { join } from "node:path";
import { beforeAll } from "vitest";
import { buildBootLoader } from "../../boot/build";
import type { BootConfig } from "../../tools/image/boot-config";
import { JudgedBoard } from "../judge/board";
import { bootLoaderCells } from "../judge/boot-loader";
import { NO_PREVIOUS, PLACES } from "../judge/places";
import { Solo } from "../judge/solo";
import { bootMachine } from "../lx106/boot/boot";
import { temporaryFolder } from "./signing-bench";

export class JudgeBench {
	readonly board = new JudgedBoard((start) => bootMachine(start));
	readonly judged = new Solo(this.board);
	readonly #cells = new Map<BootConfig, Uint8Array>();

	/** Compiles the boot loader before the tests. */
	constructor() {
		const file = join(temporaryFolder(), "boot.elf");
		beforeAll(() => {
			buildBootLoader(file);
			for (const config of [PLACES, NO_PREVIOUS]) this.#cells.set(config, bootLoaderCells(config, file));
		});
	}

	/** A flash that has the boot loader, and nothing else. */
	cells(config: BootConfig): Uint8Array {
		const cells = this.#cells.get(config);
		if (!cells) throw new Error("places of another flash");
		return cells;
	}

	/** Puts it into the board, which is switched on anew. */
	insert(config: BootConfig): void {
		this.board.renew(this.cells(config));
	}
}
