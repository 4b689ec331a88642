import { Command } from "commander";
import { listPorts } from "./serial/list-ports";
import { table } from "./table";

const NOTHING = `No serial port. A board shows as one when its cable carries data (many only charge), and when this
machine has the driver of its USB chip: Linux and macOS have those of CP210x, CH340 and FTDI; Windows may need one.
`;

export function portsCommand(): Command {
	return new Command("ports")
		.description("list the serial ports, and the USB chips behind them")
		.option("--json", "print them as a JSON array")
		.addHelpText("after", "\nExit code: 0 there are some, 1 none, 2 wrong usage.")
		.action(async ({ json }: { json?: boolean }) => {
			const ports = await listPorts();
			if (json) process.stdout.write(`${JSON.stringify(ports)}\n`);
			else if (ports.length === 0) process.stderr.write(NOTHING);
			else {
				const rows = ports.map(({ path, usb = "", chip = "", serialNumber = "" }) => [
					path,
					usb,
					chip,
					serialNumber,
				]);
				process.stdout.write(table([["PORT", "USB", "CHIP", "SERIAL NUMBER"], ...rows]));
			}
			if (ports.length === 0) process.exitCode = 1;
		});
}
