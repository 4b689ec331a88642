/** The applications of examples/, as a user has one. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { upload } from "../../tools/espota";
import { imageInfo } from "../../tools/image-info";
import { root } from "../virtual/bundle";
import { makeFirmware } from "../virtual/firmware";
import { BoardBench, until } from "./board-bench";
import { engines } from "./engines";

const manifest = join(root, "examples/lamp/manifest.json");

/** A UDP port that was free a moment ago: the announcement wants to know which it is. */
async function freePort(): Promise<number> {
	const socket = createSocket("udp4").bind(0);
	await once(socket, "listening");
	const { port } = socket.address();
	await new Promise<void>((closed) => socket.close(closed));
	return port;
}

describe.each(engines)("the example lamp in %s", (engineName) => {
	test("runs on the board, and takes its next version over the air with its password", async () => {
		const first = await makeFirmware({ manifest });
		expect(imageInfo(first)).toMatchObject({ faults: [], descriptor: { name: "lamp", version: "1.0.0" } });
		const [otaPort, port] = [await freePort(), await freePort()];
		const settings = { otaPort };
		const bench = new BoardBench({ engineName, settings, mdns: { interface: "127.0.0.1", port } });
		bench.board.flashByCable(first);
		bench.board.powerOn();
		await bench.printed("lamp 1.0.0 shines");
		await until(() => bench.otaPort > 0);
		const image = await makeFirmware({ manifest, version: "1.1.0" });
		await upload({ host: "127.0.0.1", port: otaPort, image, password: "secret" });
		await bench.printed("lamp 1.1.0 shines");
	});
});
