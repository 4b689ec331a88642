import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildFirmware } from "../virtual/image-builder";
import { encodeApplication, type Resource } from "../virtual/modules";
import { bootConfigFor, modelStages, withOwnBoot } from "../virtual/own-boot/stages";
import { BoardBench, FIRST, newFirmware, until } from "./board-bench";
import { type EngineName, engines } from "./engines";
import { md5 } from "./updater-bench";
import { Reader } from "./uploader";

/** A firmware whose application is this module, with these resources. */
function scripted(source: string, resources: readonly Resource[] = []): Uint8Array {
	const modules = [{ name: "main", preload: false, source }];
	const script = encodeApplication({ config: {}, modules, resources });
	return buildFirmware({ script, name: "scripted", version: "1" });
}

async function boardWith(image: Uint8Array, options = {}): Promise<BoardBench> {
	const bench = new BoardBench(options);
	bench.board.flashByCable(image);
	bench.board.powerOn();
	return bench;
}

describe.each(engines)("on %s, an update", (engine: EngineName) => {
	test("by espota is staged, handed to the boot loader, and runs", async () => {
		const bench = await BoardBench.started(engine);
		const image = await newFirmware();
		const uploader = await bench.uploader(image);
		bench.restarting();
		expect(await uploader.invite()).toBe("OK");
		expect((await uploader.upload()).result).toBe("OK");
		await bench.printed("took effect");
		for (const line of [
			"update of the firmware begins\n",
			"update 100 %\n",
			"update of the firmware verified, restarting\n",
			"rst cause:2",
			"@cp:B0\r\nld\r\n",
			"ota8266 2.0.0 ready\n",
			"update to 2.0.0 took effect\n",
		]) {
			expect(bench.uart).toContain(line);
		}
		const flashed = new Uint8Array(image.length);
		bench.board.flash.read(0, flashed);
		expect(md5(flashed)).toBe(md5(image));
	});

	test("compressed is inflated by the boot loader, and runs", async () => {
		const bench = await BoardBench.started(engine);
		const uploader = await bench.uploader(gzipSync(await newFirmware()));
		await uploader.invite();
		bench.restarting();
		await uploader.upload();
		await bench.printed("update to 2.0.0 took effect");
	});

	test("that is cut by the power at a flash operation leaves what ran, at any of them", async () => {
		const image = await newFirmware();
		for (const at of [0, 1, 20, 60]) {
			const bench = await BoardBench.started(engine, { otaPassword: "secret" });
			const uploader = await bench.uploader(image);
			await uploader.invite("secret", true);
			bench.board.control.arm({ at: bench.board.control.operations + at, kind: "power during" });
			const socket = await uploader.accept();
			socket.write(image);
			await until(() => bench.board.state === "off");
			await bench.powerOn();
			expect(bench.uart).toContain("~ld");
			expect(bench.uart).toContain("ota8266 1.0.0 ready");
		}
	});

	test("that the reset button interrupts leaves what ran", async () => {
		const bench = await BoardBench.started(engine);
		const image = await newFirmware();
		const uploader = await bench.uploader(image);
		await uploader.invite();
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(image.subarray(0, 9000));
		await reader.read(4);
		await bench.board.reset();
		bench.restarting();
		await bench.ready();
		expect(bench.uart).toContain("ota8266 1.0.0 ready");
		expect(bench.uart).not.toContain("update");
	});

	test("that the boot loader could not install is told at the next start", async () => {
		const bench = await BoardBench.started(engine, { otaPassword: "secret" });
		const image = await newFirmware();
		const uploader = await bench.uploader(image);
		await uploader.invite("secret", true);
		bench.soil(image.length);
		const staged = Math.ceil(image.length / 4096) + Math.ceil(image.length / 256);
		bench.board.control.arm({ at: bench.board.control.operations + staged, kind: "fail" });
		bench.restarting();
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(image);
		await reader.result();
		await bench.printed("update to 2.0.0 did not take effect: the boot loader left 1.0.0 running");
		expect(bench.uart).toContain("cp:B2\r\n");
	});
});

describe.each(engines)("on %s, with our boot loader, an update", (engineName: EngineName) => {
	const packed = (image: Uint8Array) => withOwnBoot(image, modelStages, bootConfigFor(0x400000));

	async function started(settings = {}): Promise<BoardBench> {
		const bench = await boardWith(packed(FIRST), { engineName, settings });
		await bench.ready();
		return bench;
	}

	test.each([
		["raw", (image: Uint8Array) => image],
		["compressed", (image: Uint8Array) => new Uint8Array(gzipSync(image))],
	])("%s is handed to it, and runs", async (_, staged) => {
		const bench = await started();
		const image = packed(await newFirmware());
		const uploader = await bench.uploader(staged(image));
		bench.restarting();
		await uploader.invite();
		expect((await uploader.upload()).result).toBe("OK");
		await bench.printed("update to 2.0.0 took effect");
		expect(bench.uart).toMatch(/[@~]cp:0\r\nld\r\n/);
		expect(md5(bench.get(0, image.length))).toBe(md5(image));
	});

	test("that is cut by the power while it is installed runs when the power comes back", async () => {
		const bench = await started({ otaPassword: "secret" });
		// Its version is longer, so that no sector is the same.
		const image = await newFirmware("2.0.0-beta");
		const uploader = await bench.uploader(image);
		await uploader.invite("secret", true);
		bench.soil(image.length);
		const staged = Math.ceil(image.length / 4096) + Math.ceil(image.length / 256);
		// Record, its copy, and some sectors.
		bench.arm(staged + 100, "power during");
		bench.restarting();
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(image);
		await reader.result();
		await until(() => bench.board.state === "off");
		expect(bench.uart).toMatch(/[@~]cp:$/);
		const half = readFileSync(bench.flashFile).subarray(4096, image.length);
		expect([FIRST, image].filter((each) => half.equals(each.subarray(4096)))).toEqual([]);
		await bench.powerOn();
		expect(bench.uart).toContain("~cp:0\r\nld\r\n");
		expect(bench.version).toBe("2.0.0-beta");
		// The boot loader's own sector is never written.
		expect(md5(bench.get(0, 4096))).toBe(md5(packed(FIRST).subarray(0, 4096)));
	});
});

describe.each(engines)("on %s, the application", (engineName: EngineName) => {
	test("finds the resources of its own image, another image has others", async () => {
		const source = `import Resource from "Resource";
			export default function main() { trace(String.fromArrayBuffer(new Resource("page").slice()), "\\n"); }`;
		for (const page of ["the first page", "the second page"]) {
			const image = scripted(source, [{ name: "page", bytes: new Uint8Array(Buffer.from(page)) }]);
			await (await boardWith(image, { engineName })).printed(`${page}\n`);
		}
	});
});

describe("the board", () => {
	test("keeps its flash in the file when it is put away", async () => {
		const first = await BoardBench.started("node");
		await first.board.close();
		const second = new BoardBench({ flashFile: first.flashFile });
		await second.powerOn();
		expect(second.uart).toContain("ota8266 1.0.0 ready");
	});

	test("is reset by its watchdog when the application goes round in circles", async () => {
		const script = "let n = 0; export default () => { trace('started '); for (;;) n += 1; };";
		const bench = await boardWith(scripted(script), { watchdog: 300 });
		await bench.printed("rst cause:4");
	});

	test("prints an exception that the application does not catch, and restarts", async () => {
		const bench = await boardWith(scripted("export default () => { throw new Error('lost'); };"));
		await bench.printed("Fatal exception: lost\r\n");
		await bench.printed("rst cause:2");
	});

	test("tells the application why it started", async () => {
		const script = "import board from 'board'; export default () => trace(board.resetReason, '\\n');";
		const bench = await boardWith(scripted(script));
		await bench.printed("Power On\n");
		await bench.board.reset();
		await bench.printed("External System\n");
	});

	test("hides Node from the application", async () => {
		const names = "[typeof process, typeof Buffer, typeof setTimeout, typeof console, typeof fetch]";
		const bench = await boardWith(scripted(`export default () => trace(${names}.join());`));
		await bench.printed("undefined,undefined,undefined,undefined,undefined");
	});

	test("does not start a damaged boot loader, and says so as the chip does", async () => {
		const image = FIRST.slice();
		image[20] = (image[20] ?? 0) ^ 1;
		const bench = await boardWith(image);
		await bench.printed("csum err");
		expect(bench.board.state).toBe("hung");
	});

	test("crashes in an application whose stub is damaged, and restarts for ever", async () => {
		const image = FIRST.slice();
		image[0x1001] = 0;
		const bench = await boardWith(image);
		await bench.printed("Fatal exception (0)");
		await bench.printed("rst cause:2");
	});

	test("says that it does not run machine code", async () => {
		const image = FIRST.slice();
		image.fill(0x12, Buffer.from(image).lastIndexOf("ota8266-virtual1"), image.length - 1);
		const bench = await boardWith(image);
		await bench.printed("machine code");
		expect(bench.board.state).toBe("hung");
	});

	test("starts with an erased flash as a chip does: not at all", async () => {
		const bench = new BoardBench();
		bench.board.powerOn();
		await until(() => bench.board.state === "hung");
	});

	test.each([0x80000, 0x100000, 0x200000, 0x800000, 0x1000000])(
		"runs with %i bytes of flash",
		async (flashSize) => {
			const bench = new BoardBench({ flashSize });
			const image = FIRST.slice();
			image[3] = 0;
			bench.board.flashByCable(image);
			await bench.powerOn();
			expect(bench.uart).toContain("ota8266 1.0.0 ready");
		},
	);

	test("has one power switch: off ends what runs, on starts it", async () => {
		const bench = await BoardBench.started("node");
		await bench.board.powerOff();
		expect(bench.board.state).toBe("off");
		await bench.powerOn();
		expect(bench.uart).toContain("rst cause:1");
	});
});
