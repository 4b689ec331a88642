/** The boot loader's machine code and its model on judged boards, which must agree at every start. */
import { join } from "node:path";
import { beforeAll } from "vitest";
import { buildBootLoader } from "../../boot/build";
import type { BootConfig } from "../../tools/image/boot-config";
import { bootLoaderCells } from "../judge/boot-loader";
import { NO_PREVIOUS, PLACES } from "../judge/places";
import { Twins } from "../judge/twins";
import { temporaryFolder } from "./signing-bench";

export class JudgeBench {
	readonly judged = new Twins();
	/** The one by the machine code. */
	readonly board = this.judged.machine;
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

	/** Puts it into the boards, which are switched on anew. */
	insert(config: BootConfig): void {
		this.judged.renew(this.cells(config));
	}
}
