/** `npm run bench`: compares ways to update in virtual time; its tables into README.md and DESIGN.md, its chart into docs/. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../virtual/bundle";
import { cutTable, timeTable } from "./boot-loaders";
import { bundleSimulation } from "./bundle";
import { chart } from "./chart";
import { TYPICAL, WORST } from "./figures";
import { runMatrix } from "./matrix";
import { goalsTable, limitText, phaseTable, savingTable, shortTable } from "./report";
import { conditions, FAST, rows, SLOW, savingRows } from "./rows";
import { serveTable } from "./serve-load";
import type * as Simulation from "./simulation";

const HELP = `Compares ways to update in virtual time, and writes README.md, DESIGN.md and docs/bench.svg.

  npm run bench            all rows under all conditions
  npm run bench -- boot    our boot loader beside eboot: power cuts, and the time of an install (after npm run build:boot)
  npm run bench -- serve   load on ota8266 serve, in real time: not the same each time
`;

/** Puts `text` between the markers of a file. Throws where it has none. */
function fill(file: string, text: string, marker = "bench"): void {
	const path = join(root, file);
	const old = readFileSync(path, "utf8");
	const marked = new RegExp(`(<!-- ${marker} -->\\n)[\\s\\S]*?(<!-- /${marker} -->)`);
	if (!marked.test(old)) throw new Error(`${file} has no <!-- ${marker} -->`);
	writeFileSync(
		path,
		old.replace(marked, (_, begin, end) => `${begin}${text}\n${end}`),
	);
}

async function updates(): Promise<void> {
	const { simulate } = (await import(await bundleSimulation())) as typeof Simulation;
	const lossless = conditions.filter(({ loss }) => loss === 0);
	const typical = runMatrix({ simulate, rows, conditions, flash: TYPICAL });
	const worst = runMatrix({ simulate, rows, conditions: lossless, flash: WORST });
	const savings = runMatrix({ simulate, rows: savingRows, conditions: lossless, flash: TYPICAL });
	const short = shortTable(typical, [SLOW, FAST]);
	const full = [
		limitText(TYPICAL),
		goalsTable(typical, FAST, SLOW),
		savingTable(savings, lossless),
		...conditions.map((condition) => phaseTable(typical, condition)),
		limitText(WORST),
		shortTable(worst, lossless),
	].join("\n\n");
	fill("README.md", short);
	fill("DESIGN.md", full);
	writeFileSync(join(root, "docs/bench.svg"), chart(typical.filter((one) => one.condition === FAST)));
	process.stdout.write(`${short}\n\n${full}\n`);
}

function bootLoaders(): void {
	const cuts = cutTable();
	const times = timeTable();
	fill("README.md", cuts, "cuts");
	fill("DESIGN.md", times, "installs");
	process.stdout.write(`${cuts}\n\n${times}\n`);
}

const [command] = process.argv.slice(2);
if (command === undefined) await updates();
else if (command === "boot") bootLoaders();
else if (command === "serve") process.stdout.write(`${await serveTable()}\n`);
else {
	process.stdout.write(HELP);
	process.exitCode = command === "--help" ? 0 : 2;
}
