import { Command } from "commander";
import { flashFile } from "./flash-file";
import { baudRate } from "./option-values";

const BAUD_RATE = 921_600;

const EXAMPLES = `
Examples:
  $ ota8266 flash firmware.bin --port /dev/ttyUSB0
  $ ota8266 flash firmware.bin --port COM3 --baud 115200 --erase
  $ ota8266 flash firmware.bin --port rfc2217://127.0.0.1:3333   (ota8266 simulate --serial-port 3333)

--erase leaves nothing of what was there: files, settings of the Wi-Fi, what other firmwares left. It then writes
the init data of the SDK that ESP_BASE names, or that of --init-data.

Exit code: 0 the flash holds the firmware, by its MD5; 1 it does not; 2 wrong usage.`;

interface FlashFlags {
	port: string;
	baud: number;
	erase?: boolean;
	initData?: string;
	force?: boolean;
}

export function flashCommand(): Command {
	return new Command("flash")
		.description("write a firmware into a board's flash by cable")
		.argument("<file>", "the firmware; a compressed one is inflated")
		.requiredOption(
			"--port <port>",
			"serial port (ota8266 ports lists them), socket://HOST:PORT or rfc2217://HOST:PORT",
		)
		.option("--baud <rate>", "speed of the transfer", baudRate, BAUD_RATE)
		.option("--erase", "erase all of the flash first")
		.option("--init-data <file>", "esp_init_data_default.bin, in place of the SDK's")
		.option("--force", "write what looks damaged, or made for another flash")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, { port, baud, erase = false, initData, force = false }: FlashFlags) => {
			if (!(await flashFile(file, { port, baud, erase, initData, force }))) process.exitCode = 1;
		});
}
