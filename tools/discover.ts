import { Command, Option } from "commander";
import { type Board, findBoards } from "./find-boards";
import { seconds } from "./option-values";
import { table } from "./table";

const TIMEOUT = 3000;

const EXAMPLES = `
Examples:
  $ ota8266 discover
  $ ota8266 discover --timeout 10 --json

Exit code: 0 boards found, 1 none, 2 wrong usage.`;

const NOTHING = `No board answered. A board is found when it runs ArduinoOTA with DNS-SD on, in the same
network as this machine (guest and mesh networks often keep multicast away), and when this machine's firewall
lets UDP port 5353 in. A board that is not listed can still be sent to: ota8266 upload FILE --host ADDRESS
`;

export function discoverCommand(): Command {
	return new Command("discover")
		.description("list the boards with ArduinoOTA in this network")
		.addOption(
			new Option("--timeout <seconds>", "how long to listen")
				.argParser(seconds)
				.default(TIMEOUT, String(TIMEOUT / 1000)),
		)
		.option("--json", "print the boards as a JSON array")
		.addHelpText("after", EXAMPLES)
		.action(async ({ timeout, json }: { timeout: number; json?: boolean }) => {
			const boards = await findBoards({ timeout });
			if (json) process.stdout.write(`${JSON.stringify(boards)}\n`);
			else if (boards.length > 0) process.stdout.write(boardTable(boards));
			else process.stderr.write(NOTHING);
			if (boards.length === 0) process.exitCode = 1;
		});
}

/** The boards as text, a line each under a line of titles. */
export function boardTable(boards: readonly Board[]): string {
	return table([
		["NAME", "ADDRESS", "PORT", "BOARD", "PASSWORD"],
		...boards.map(({ name, address, port, board, password }) => [
			name,
			address,
			String(port),
			board,
			password ? "yes" : "no",
		]),
	]);
}
