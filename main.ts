import { useUpdater } from "embedded:update";
import board from "board";
import config from "mc/config";
import { ArduinoOTA } from "./ota/arduino-ota";
import { EbootStrategy } from "./ota/eboot";
import { RunningFirmware } from "./ota/running";
import { Updater } from "./ota/updater";
import { judge } from "./ota/verdict";

/** Runs once the network is there. The manifest's `config` holds the settings. */
export default function main(): void {
	const running = new RunningFirmware();
	const updater = new Updater({
		board,
		running,
		boot: new EbootStrategy(board, { gzip: config.bootLoaderInflates !== false }),
	});
	useUpdater(updater);
	let tenths = 0;

	judge(board, running, (verdict) => trace(`${verdict.text}\n`));

	new ArduinoOTA({
		updater,
		board,
		port: number(config.otaPort),
		hostName: text(config.hostName),
		password: text(config.otaPassword),
		passwordHash: text(config.otaPasswordHash),
		strongAuthentication: config.strongAuthentication === true,
		timeout: number(config.otaTimeout),
		dnssd: config.dnssd !== false,
		onStart(kind) {
			tenths = 0;
			trace(`update of the ${kind} begins\n`);
		},
		onProgress(done, total) {
			const now = Math.floor((10 * done) / total);
			if (now > tenths) trace(`update ${10 * now} %\n`);
			tenths = now;
		},
		onEnd: (kind) => trace(`update of the ${kind} verified, restarting\n`),
		onError: (_stage, error) => trace(`update failed: ${error}\n`),
	});
	trace(`${config.name} ${config.version} ready\n`);
}

function text(setting: unknown): string | undefined {
	return typeof setting === "string" ? setting : undefined;
}

function number(setting: unknown): number | undefined {
	return typeof setting === "number" ? setting : undefined;
}
