import board from "board";
import config from "mc/config";
import { ArduinoOTA } from "ota/arduino-ota";
import { bootStrategy } from "ota/boot-loader";
import { RunningFirmware } from "ota/running";
import { Updater } from "ota/updater";

export default function main(): void {
	const boot = bootStrategy(board, { gzip: config.bootLoaderInflates !== false });
	const updater = new Updater({ board, running: new RunningFirmware(boot.applicationOffset), boot });
	new ArduinoOTA({ updater, board, port: Number(config.otaPort), password: String(config.otaPassword) });
	trace(`${config.name} ${config.version} shines\n`);
}
