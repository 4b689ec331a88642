/** The serial ports of this machine, and what is known of the USB chips behind them. */
import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";

export interface ListedPort {
	path: string;
	/** vendor:product, hexadecimal. */
	usb?: string | undefined;
	/** What that is, where it is known. */
	chip?: string | undefined;
	serialNumber?: string | undefined;
}

/** USB to serial chips that ESP8266 boards have. */
const chips: ReadonlyMap<string, string> = new Map([
	["10c4:ea60", "CP210x"],
	["10c4:ea70", "CP2105"],
	["1a86:7523", "CH340"],
	["1a86:5523", "CH341"],
	["1a86:55d3", "CH343"],
	["1a86:55d4", "CH9102"],
	["0403:6001", "FTDI FT232R"],
	["0403:6010", "FTDI FT2232"],
	["0403:6011", "FTDI FT4232"],
	["0403:6014", "FTDI FT232H"],
	["0403:6015", "FTDI FT231X"],
	["067b:2303", "PL2303"],
	["067b:23a3", "PL2303GC"],
]);

const SYSFS = "/sys/class/tty";

/** Those with a USB chip first. */
export async function listPorts(): Promise<ListedPort[]> {
	const ports = process.platform === "linux" ? await linuxPorts(SYSFS) : await otherPorts();
	return ports.sort((a, b) => Number(!a.usb) - Number(!b.usb) || a.path.localeCompare(b.path));
}

/** The package asks udevadm on Linux, which not every machine has; the kernel tells the same to all. */
export async function linuxPorts(folder: string): Promise<ListedPort[]> {
	const names: string[] = await readdir(folder).catch(() => []);
	const found = names.filter((name) => /^tty(USB|ACM|AMA|XRUSB)\d+$/.test(name));
	return Promise.all(
		found.map(async (name) => {
			const path = `/dev/${name}`;
			const device = await usbDevice(join(folder, name, "device"));
			if (device === undefined) return { path };
			const read = (file: string) => readFile(join(device, file), "utf8").then((text) => text.trim());
			const [vendor, product] = await Promise.all([read("idVendor"), read("idProduct")]);
			return describe(path, vendor, product, await read("serial").catch(() => undefined));
		}),
	);
}

/** The folder of the USB device that an interface belongs to: the nearest one above it that has a vendor. */
async function usbDevice(link: string): Promise<string | undefined> {
	let folder = await realpath(link).catch(() => undefined);
	for (let depth = 0; folder !== undefined && depth < 4; depth++, folder = join(folder, "..")) {
		const names: string[] = await readdir(folder).catch(() => []);
		if (names.includes("idVendor")) return folder;
	}
	return undefined;
}

async function otherPorts(): Promise<ListedPort[]> {
	const { SerialPort } = await import("serialport");
	const ports = await SerialPort.list();
	return ports.map(({ path, vendorId, productId, serialNumber }) =>
		vendorId && productId ? describe(path, vendorId, productId, serialNumber) : { path },
	);
}

function describe(path: string, vendor: string, product: string, serialNumber?: string): ListedPort {
	const usb = `${vendor}:${product}`.toLowerCase();
	return { path, usb, chip: chips.get(usb), serialNumber };
}
