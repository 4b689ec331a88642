import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { slotNumber } from "../ota/slots/partition-table";
import { flashSize, flashSizes } from "./option-values";
import { encodeTable } from "./partitions/binary";
import { csvOf } from "./partitions/csv";
import { layoutTexts, tableText } from "./partitions/layout-view";
import { type Problem, problemsOf, problemText } from "./partitions/problems";
import { inFile, readTable } from "./partitions/table-file";
import { writeFileIn } from "./write-signed";

/** The layouts lie beside the sources, and beside the built command. */
const folder = fileURLToPath(new URL("../partitions", import.meta.url));
const sizes = [...flashSizes.keys()].join(", ");

const EXAMPLES = `
Examples:
  $ ota8266 partitions --flash-size 4M
  $ ota8266 partitions build partitions/two-slots-4m.csv --out partition-table.bin
  $ ota8266 partitions show partition-table.bin
  $ ota8266 partitions show nodemcu.flash --csv
  $ ota8266 partitions verify partitions/two-slots-4m.csv --flash-size 4M

Exit code: 0 done, 1 a table is missing or faulty, 2 wrong usage.`;

interface Flags {
	flashSize?: number;
}

export function partitionsCommand(): Command {
	return new Command("partitions")
		.description("show the flash layouts; make, show and verify partition tables for two slots")
		.option("--flash-size <size>", `layouts for this flash only, ${sizes}`, flashSize)
		.addHelpText("after", EXAMPLES)
		.action(async (flags: Flags) => {
			process.stdout.write(await layoutTexts(folder, flags.flashSize));
		})
		.addCommand(buildCommand())
		.addCommand(showCommand())
		.addCommand(verifyCommand());
}

function buildCommand(): Command {
	return new Command("build")
		.description("make the bytes of a partition table, to be flashed at 0x8000")
		.argument("<csv>", "name, type, subtype, offset, size, flags; a line each")
		.requiredOption("--out <file>", "where to")
		.option("--flash-size <size>", `refuse what this flash has no room for, ${sizes}`, flashSize)
		.option("--no-md5", "leave out the MD5 of the table")
		.action(async (file: string, flags: Flags & { out: string; md5: boolean }, command: Command) => {
			if (resolve(flags.out) === resolve(file)) command.error("error: --out would overwrite the CSV");
			const { kind, partitions } = await readTable(file);
			if (kind !== "CSV") throw new UpdateError(ErrorCode.FILE, file, `it is no CSV, but a ${kind}`);
			const problems = problemsOf(partitions, flags);
			if (problems.some(({ severity }) => severity === "error")) return fail(file, problems);
			tell(file, problems);
			const bytes = encodeTable(partitions, flags);
			await writeFileIn(flags.out, bytes);
			process.stdout.write(`${partitions.length} partitions, ${bytes.length} bytes, ${flags.out}\n`);
		});
}

function showCommand(): Command {
	return new Command("show")
		.description("show a partition table: a CSV, its bytes, or a flash that has it at 0x8000")
		.argument("<file>")
		.addOption(new Option("--csv", "print it as a CSV").conflicts("json"))
		.option("--json", "print everything as one JSON object")
		.option(
			"--flash-size <size>",
			`the flash to draw (default: the smallest that holds it), ${sizes}`,
			flashSize,
		)
		.action(async (file: string, flags: Flags & { csv?: true; json?: true }) => {
			const { kind, partitions, md5, ...found } = await readTable(file);
			const size = flags.flashSize ?? found.flashSize;
			const problems = problemsOf(partitions, { flashSize: size, md5 });
			const ok = problems.every(({ severity }) => severity !== "error");
			if (flags.json) {
				const table = partitions.map(({ label, type, subtype, offset, size, flags }) => ({
					label,
					type,
					subtype,
					offset,
					size,
					flags,
				}));
				process.stdout.write(`${JSON.stringify({ ok, file, kind, md5, partitions: table, problems })}\n`);
			} else {
				process.stdout.write(flags.csv ? inFile(file, () => csvOf(partitions)) : tableText(partitions, size));
				tell(file, problems);
			}
			if (!ok) process.exitCode = 1;
		});
}

function verifyCommand(): Command {
	return new Command("verify")
		.description("tell whether a board with this partition table starts, and can be updated")
		.argument("<file>", "a CSV, the table's bytes, or a flash that has it")
		.option("--flash-size <size>", `of the board, ${sizes}`, flashSize)
		.action(async (file: string, flags: Flags) => {
			const { kind, partitions, md5, flashSize: size } = await readTable(file);
			const problems = problemsOf(partitions, { flashSize: flags.flashSize ?? size, md5 });
			if (problems.some(({ severity }) => severity !== "note")) return fail(file, problems);
			tell(file, problems);
			const slots = partitions.filter((partition) => slotNumber(partition) >= 0).length;
			const words = [`${partitions.length} partitions`, `${slots} OTA slots`];
			if (kind !== "CSV") words.push(md5 ? "MD5 right" : "no MD5");
			process.stdout.write(`${file}: in order, ${words.join(", ")}\n`);
		});
}

/** On standard error, a line each. */
function tell(file: string, problems: readonly Problem[]): void {
	for (const problem of problems) process.stderr.write(`${file}: ${problemText(problem)}\n`);
}

function fail(file: string, problems: readonly Problem[]): void {
	tell(file, problems);
	process.exitCode = 1;
}
