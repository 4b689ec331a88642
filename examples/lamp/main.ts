import board from "board";
import config from "mc/config";
import { ArduinoOTA } from "ota/arduino-ota";
import { EbootStrategy } from "ota/eboot";
import { RunningFirmware } from "ota/running";
import { Updater } from "ota/updater";

export default function main(): void {
	const boot = new EbootStrategy(board, { gzip: config.bootLoaderInflates !== false });
	const updater = new Updater({ board, running: new RunningFirmware(), boot });
	new ArduinoOTA({ updater, board, port: Number(config.otaPort), password: String(config.otaPassword) });
	trace(`${config.name} ${config.version} shines\n`);
}
