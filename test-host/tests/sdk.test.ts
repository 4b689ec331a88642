/** What `ota8266 build` looks for before it builds. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bootLoaderVersion, coreVersion } from "../../tools/arduino-core";
import { findSdk } from "../../tools/build/sdk";
import { fakeSdk } from "./fake-sdk";
import { temporaryFolder } from "./signing-bench";

const folder = temporaryFolder();

describe("the SDK", () => {
	test("is found where nothing is missing, and its programs come first on the path", () => {
		const { environment } = fakeSdk(folder);
		const sdk = findSdk(environment, "linux");
		expect(sdk).toMatchObject({ faults: [], version: "8.2.3" });
		const programs = join(environment.MODDABLE ?? "", "build/bin/lin/release");
		expect(sdk.environment.PATH).toBe(`${programs}:${environment.PATH}`);
	});

	test.each([
		["the Moddable SDK", "moddable", "has no Moddable SDK of 8.2 or newer"],
		["the SDK's tools", "moddable/build/bin/lin/release/xsl", "xsl is neither in "],
		["the tools' folder", "esp", "ESP_BASE: there is no folder "],
		["the Arduino core", "esp/esp8266-2.3.0", "the ESP8266 Arduino core 2.3.0 is missing: "],
		["the RTOS SDK", "esp/ESP8266_RTOS_SDK", "ESP8266_RTOS_SDK 3.2 is missing: "],
		["the compiler", "esp/toolchain", "the chip's compiler is missing: "],
		["python", "bin/python", "python is not on the PATH"],
		["TypeScript", "bin/tsc", "tsc is not on the PATH"],
	])("that lacks %s is told so", (_, path, fault) => {
		const { folder: sdk, environment } = fakeSdk(folder);
		rmSync(join(sdk, path), { recursive: true });
		expect(findSdk(environment, "linux").faults.join("\n")).toContain(fault);
	});

	test.each([
		["of another major version", "moddable/tools/VERSION", "9.0.0\n", "version 9.0.0 in "],
		["that is too old", "moddable/tools/VERSION", "8.1.9\n", "version 8.1.9 in "],
		[
			"with another Arduino core",
			"esp/esp8266-2.3.0/tools/sdk/version",
			"v2.1.0-10-g509eae8",
			"the SDK builds with 2.3.0",
		],
		["with a newer RTOS SDK", "esp/ESP8266_RTOS_SDK/tools/cmake/version.cmake", "", "is newer than 3.2"],
		["without python's pyserial", "bin/python", "#!/bin/sh\nexit 1\n", "python has no pyserial"],
		["with an old TypeScript", "bin/tsc", "#!/bin/sh\necho Version 5.9.3\n", "tsc is TypeScript 5.9.3"],
	])("%s is refused", (_, file, text, fault) => {
		const { environment, write } = fakeSdk(folder);
		write(file, text);
		expect(findSdk(environment, "linux").faults).toEqual([expect.stringContaining(fault)]);
	});

	test("with an older RTOS SDK is refused", () => {
		const { folder: sdk, environment } = fakeSdk(folder);
		rmSync(join(sdk, "esp/ESP8266_RTOS_SDK/components/newlib/CMakeLists.txt"));
		expect(findSdk(environment, "linux").faults).toEqual([expect.stringContaining("is older than 3.2")]);
	});

	test("that is nowhere lacks all of it, a line each", () => {
		const { faults } = findSdk({ PATH: "" }, "linux");
		expect(faults.slice(0, 2)).toEqual([
			"MODDABLE is not set: it is the folder of the Moddable SDK",
			"ESP_BASE is not set: it is the folder of the ESP8266's tools",
		]);
		expect(faults.join("")).not.toContain("\n");
	});

	test("is not looked for on Windows", () => {
		expect(findSdk(fakeSdk(folder).environment, "win32").faults).toContainEqual(
			expect.stringContaining("Linux and macOS"),
		);
	});
});

describe("the boot loader of an Arduino core", () => {
	test.each([
		["its folder", "a/esp8266-2.3.0", {}, "2.3.0"],
		[
			"its header",
			"b",
			{ "cores/esp8266/core_version.h": '#define ARDUINO_ESP8266_RELEASE "2_7_4"\n' },
			"2.7.4",
		],
		["its platform.txt", "c", { "platform.txt": "name=x\nversion=3.2.0-dev\n" }, "3.2.0-dev"],
		["nothing", "d", {}, "unknown"],
	])("has the version that the core says by %s", (_, core, files, version) => {
		const { folder: sdk, write } = fakeSdk(folder);
		for (const [file, text] of Object.entries(files)) write(`${core}/${file}`, text);
		expect(coreVersion(join(sdk, core))).toBe(version);
		expect(bootLoaderVersion(join(sdk, core, "bootloaders/eboot/eboot.elf"))).toBe(version);
	});
});
