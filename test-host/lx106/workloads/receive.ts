/** The Updater takes a firmware in pieces as a socket gives them, up to the verified choice. */
import Resource from "Resource";
import board from "board";
import config from "mc/config";
import { start, stop } from "measure";
import { EbootStrategy } from "../../../ota/eboot";
import { RunningFirmware } from "../../../ota/running";
import { Updater } from "../../../ota/updater";

export default function run(): void {
	const image = new Resource("image");
	const { byteLength } = image;
	const piece = Number(config.piece);
	start("open");
	const updater = new Updater({ board, running: new RunningFirmware(), boot: new EbootStrategy(board, {}) });
	const update = updater.open({ kind: "firmware", byteLength, md5: String(config.md5), from: "lx106" });
	stop();
	for (let at = 0; at < byteLength; at += piece) {
		// As much as a socket's read takes.
		start("piece");
		const bytes = image.slice(at, at + piece);
		stop();
		start("write");
		update.write(bytes);
		stop();
	}
	start("complete");
	try {
		update.complete();
	} catch (error) {
		trace(`${error}\n`);
	}
	stop();
	const sector = new Uint8Array(4096);
	const bytes = new Uint8Array(image.slice(0, piece));
	start("copy");
	sector.set(bytes);
	stop();
	trace(`${updater.last?.result} ${updater.last?.bytes}\n`);
}
