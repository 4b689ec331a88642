/**
 * `npm run lx106`: instructions that receiving, digesting and verifying take on the ESP8266's CPU, and C stack;
 * writes the table into DESIGN.md and what tests compare with. `-- --json` only prints the figures.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../virtual/bundle";
import { type Case, cases } from "./cases";
import { type Measure, type Run, run } from "./run";

/** Each run is a process by itself. */
const PARALLEL = 2;
const RECORD = join(root, "test-host/fixtures/lx106-figures.json");
const MEGAHERTZ: readonly number[] = [80, 160];

export interface Figure {
	name: string;
	/** What the instructions are of: a KB, or the whole. */
	per: "KB" | "once";
	/** Instructions of the engine and of natives that are none of the following. */
	script: number;
	/** Of the C files of modules/, without the flash's own time. */
	natives: number;
	/** Of the XS host's digests, which stand for the SDK's. */
	digest: number;
	/** Bytes of C stack at most. */
	stack: number;
}

/** A case with what came of it. */
export interface Outcome {
	of: Case;
	run: Run;
}

/** Runs all. Throws where one did not end as it should, or where nothing can be compiled and run here. */
export async function runCases(): Promise<Outcome[]> {
	const all = cases();
	const outcomes: Outcome[] = [];
	const waiting = all.map((of, index) => ({ of, index }));
	const work = async () => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			outcomes[next.index] = { of: next.of, run: await run(next.of.workload) };
		}
	};
	await Promise.all(Array.from({ length: PARALLEL }, work));
	for (const { of, run } of outcomes) {
		if (run.exit !== 0) throw new Error(`${of.workload.script} ended with ${run.exit}: ${run.uart.trim()}`);
	}
	return outcomes;
}

function figureOf(name: string, measure: Measure, kilobytes: number | undefined): Figure {
	const each = (instructions: number) => Math.round(instructions / (kilobytes ?? 1));
	return {
		name,
		per: kilobytes === undefined ? "once" : "KB",
		script: each(measure.script),
		natives: each(measure.native),
		digest: each(measure.digest),
		stack: measure.stack,
	};
}

export function figuresOf(outcomes: readonly Outcome[]): Figure[] {
	return outcomes.flatMap(({ of, run }) =>
		of.wanted.map(({ measure, name, kilobytes }) => {
			const measured = run.measures.get(measure);
			if (!measured) throw new Error(`${of.workload.script} has not measured ${measure}`);
			return figureOf(name, measured, kilobytes);
		}),
	);
}

/** Instructions by name, the same in each run. Throws where they cannot be counted here. */
export async function lx106Figures(): Promise<Figure[]> {
	return figuresOf(await runCases());
}

export function total({ script, natives, digest }: Figure): number {
	return script + natives + digest;
}

/** What tests compare with. */
export function recordedFigures(): Figure[] {
	return JSON.parse(readFileSync(RECORD, "utf8")) as Figure[];
}

/** Rows of Markdown. */
export function figuresTable(figures: readonly Figure[]): string {
	const titles = ["", "", "engine and script", "modules/", "digest", "instructions"];
	const times = MEGAHERTZ.map((megahertz) => `ms at ${megahertz} MHz`);
	const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
	const grouped = (value: number) => value.toLocaleString("en-US");
	const short = (value: number) => (value < 100 ? value.toPrecision(3) : grouped(Math.round(value)));
	return [
		row([...titles, ...times, "C stack, bytes"]),
		row([...titles, ...times, ""].map(() => "---")),
		...figures.map((figure) => {
			const { name, per, script, natives, digest, stack } = figure;
			const counts = [script, natives, digest, total(figure)].map(grouped);
			const ms = MEGAHERTZ.map((megahertz) => short(total(figure) / 1000 / megahertz));
			return row([name, per === "KB" ? "a KB" : "", ...counts, ...ms, grouped(stack)]);
		}),
	].join("\n");
}

async function main(isJSON: boolean): Promise<void> {
	const figures = await lx106Figures();
	if (isJSON) {
		process.stdout.write(`${JSON.stringify(figures, undefined, "\t")}\n`);
		return;
	}
	const table = figuresTable(figures);
	writeFileSync(RECORD, `${JSON.stringify(figures, undefined, "\t")}\n`);
	const design = join(root, "DESIGN.md");
	const text = readFileSync(design, "utf8");
	writeFileSync(design, text.replace(/(<!-- lx106 -->\n)[\s\S]*?(<!-- \/lx106 -->)/, `$1${table}\n$2`));
	process.stdout.write(`${table}\n`);
}

if (process.argv[1] === import.meta.filename) {
	main(process.argv.includes("--json")).catch((error: unknown) => {
		process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
		process.exitCode = 1;
	});
}
