/** Ports of this machine, by the package's own mock of the system. */
import { SerialPortMock } from "serialport";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSerialPort } from "../../tools/serial/web-serial-port";
import { openWire } from "../../tools/serial/wire";
import { until } from "./board-bench";

vi.mock("serialport", async (original) => {
	const real = await original<typeof import("serialport")>();
	return { ...real, SerialPort: real.SerialPortMock };
});

const PATH = "/dev/ttyUSB0";
beforeEach(() => SerialPortMock.binding.createPort(PATH, { record: true, echo: true }));
afterEach(() => {
	vi.restoreAllMocks();
	SerialPortMock.binding.reset();
});

const silent = { onData() {}, onLost() {} };

test("bytes go out, and what comes is given", async () => {
	let heard = "";
	const wire = await openWire(PATH, 115_200, {
		...silent,
		onData: (bytes) => {
			heard += Buffer.from(bytes).toString();
		},
	});
	await wire.write(Buffer.from("ping"));
	// The mock says READY first, as some boards do.
	await until(() => heard.endsWith("ping"));
	await wire.close();
	await wire.close();
});

test("a line that is not named stays as it is, and the baud rate changes without closing", async () => {
	const set = vi.spyOn(SerialPortMock.prototype, "set");
	const update = vi.spyOn(SerialPortMock.prototype, "update");
	const close = vi.spyOn(SerialPortMock.prototype, "close");
	const port = new WebSerialPort(PATH);
	await port.open({ baudRate: 115_200 });
	await port.setSignals({ dataTerminalReady: false, requestToSend: true });
	await port.setSignals({ dataTerminalReady: true });
	await port.setSignals({ requestToSend: false });
	expect(set.mock.calls.map(([lines]) => lines)).toEqual([
		{ dtr: false, rts: true },
		{ dtr: true, rts: true },
		{ dtr: true, rts: false },
	]);
	await port.setBaudRate(921_600);
	expect(update.mock.calls.map(([options]) => options)).toEqual([{ baudRate: 921_600 }]);
	expect(close).not.toHaveBeenCalled();
	await port.close();
	expect([port.readable, port.writable]).toEqual([null, null]);
});

test("a port that another has is named as busy", async () => {
	const first = await openWire(PATH, 115_200, silent);
	await expect(openWire(PATH, 115_200, silent)).rejects.toThrow(
		`Serial port ${PATH}: another program has it, a monitor perhaps: end that`,
	);
	await first.close();
});

test.each([
	[
		"Error: No such file or directory, cannot open /dev/ttyUSB0",
		"there is none of this name (ota8266 ports lists them)",
	],
	["Opening COM3: File not found", "there is none of this name (ota8266 ports lists them)"],
	[
		"Error: Error Resource temporarily unavailable Cannot lock port",
		"another program has it, a monitor perhaps",
	],
	["Opening COM3: Access denied", "another program has it, a monitor perhaps: end that"],
	[
		"Error: Permission denied, cannot open /dev/ttyUSB0",
		"not allowed, on Linux: sudo usermod -a -G dialout $USER",
	],
	["Error: Inappropriate ioctl for device, cannot open /dev/null", "that is no serial port"],
	["Error: something else", "something else"],
])("the system's %s is told in words", async (text, reason) => {
	vi.spyOn(SerialPortMock.prototype, "open").mockImplementation((done) => done?.(new Error(text)));
	await expect(openWire(PATH, 115_200, silent)).rejects.toThrow(`Serial port ${PATH}: ${reason}`);
});

test("a board that is unplugged is told once, and no more after the port was closed", async () => {
	const onLost = vi.fn();
	const ports: SerialPortMock[] = [];
	const open = SerialPortMock.prototype.open;
	vi.spyOn(SerialPortMock.prototype, "open").mockImplementation(function (this: SerialPortMock, done) {
		ports.push(this);
		return open.call(this, done);
	});
	const wire = await openWire(PATH, 115_200, { ...silent, onLost });
	ports[0]?.emit("error", new Error("unplugged"));
	ports[0]?.emit("close");
	expect(onLost).toHaveBeenCalledTimes(1);
	await wire.close();
	const other = await openWire(PATH, 115_200, { ...silent, onLost });
	await other.close();
	expect(onLost).toHaveBeenCalledTimes(1);
});
