import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { linuxPorts } from "../../tools/serial/list-ports";

/** A folder as /sys/class/tty is, with devices in their place. */
function sysfs(devices: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-"));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	for (const [name, files] of Object.entries(devices)) {
		const device = join(folder, "devices", `usb-${name}`);
		mkdirSync(join(device, "1-1:1.0", name), { recursive: true });
		for (const [file, text] of Object.entries(files)) writeFileSync(join(device, file), `${text}\n`);
		mkdirSync(join(folder, "class", name), { recursive: true });
		symlinkSync(join(device, "1-1:1.0", name), join(folder, "class", name, "device"));
	}
	return join(folder, "class");
}

test("ports are listed with their USB chips", async () => {
	const folder = sysfs({
		ttyUSB0: { idVendor: "10c4", idProduct: "ea60", serial: "0001" },
		ttyUSB1: { idVendor: "1a86", idProduct: "7523" },
		ttyACM0: { idVendor: "1234", idProduct: "abcd" },
		ttyAMA0: {},
		tty7: {},
	});
	const ports = await linuxPorts(folder);
	expect(ports.sort((a, b) => a.path.localeCompare(b.path))).toEqual([
		{ path: "/dev/ttyACM0", usb: "1234:abcd" },
		{ path: "/dev/ttyAMA0" },
		{ path: "/dev/ttyUSB0", usb: "10c4:ea60", chip: "CP210x", serialNumber: "0001" },
		{ path: "/dev/ttyUSB1", usb: "1a86:7523", chip: "CH340" },
	]);
});

test("a machine without that folder has none", async () => {
	expect(await linuxPorts("/nowhere")).toEqual([]);
});
