import { Command, CommanderError, type OutputConfiguration } from "commander";
import { name, version } from "../package.json";
import { buildCommand } from "./build";
import { discoverCommand } from "./discover";
import { flashCommand } from "./flash";
import { infoCommand } from "./info";
import { keygenCommand } from "./keygen";
import { monitorCommand } from "./monitor";
import { packCommand } from "./pack";
import { partitionsCommand } from "./partitions";
import { portsCommand } from "./ports";
import { serveCommand } from "./serve";
import { signCommand } from "./sign";
import { simulateCommand } from "./simulate";
import { uploadCommand } from "./upload";
import { verifyCommand } from "./verify";

/** Every subcommand, in the order of the help. */
const subcommands: readonly (() => Command)[] = [
	simulateCommand,
	uploadCommand,
	discoverCommand,
	infoCommand,
	keygenCommand,
	buildCommand,
	packCommand,
	signCommand,
	verifyCommand,
	serveCommand,
	partitionsCommand,
	flashCommand,
	monitorCommand,
	portsCommand,
];

/**
 * Runs the command with these arguments and gives its exit code: 0 done, 1 failed, 2 wrong usage. `output`
 * takes what commander writes, help and complaints about the usage.
 */
export async function run(args: readonly string[], output: OutputConfiguration = {}): Promise<number> {
	const program = new Command(name)
		.description(
			"Over-the-air updates for the ESP8266: a board in software, upload, discovery, images packed and signed, a server, and the cable",
		)
		.version(version)
		.configureOutput(output)
		.exitOverride()
		// What comes behind a nested subcommand is its own, also where the one above has an option of that name.
		.enablePositionalOptions()
		.showHelpAfterError("Add --help to see how it is used.");
	for (const subcommand of subcommands) {
		const command = subcommand().copyInheritedSettings(program);
		for (const nested of command.commands) nested.copyInheritedSettings(command);
		program.addCommand(command);
	}
	try {
		await program.parseAsync(args, { from: "user" });
		// An action that failed has said why, and left it here.
		return Number(process.exitCode ?? 0);
	} catch (error) {
		// Help that was asked for is a success; everything else that commander throws is wrong usage.
		if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
		return 1;
	}
}
