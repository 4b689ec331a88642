/**
 * A firmware goes into a board's flash by cable, through esptool-js. For Node and for the browser: the port is one
 * of Web Serial, or has its shape.
 */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { FLASH_SIZE_OFFSET, flashSizeOf } from "../../ota/image";

/** What the ROM's loader is spoken to with. */
const ROM_BAUD_RATE = 115_200;
/** ms that the reset is held. */
const RESET_TIME = 100;
/** The stub's SPI_SET_PARAMS: tells the ROM's functions how large the flash is, or they end at 4 MiB. */
const SPI_SET_PARAMS = 0x0b;
const FLASH_UNITS: readonly number[] = [0x10000, 0x1000, 0x100, 0xffff];

/** A port, as far as flashing needs Web Serial's. */
export interface FlashPort {
	/** The other end is gone: why. */
	readonly lost?: UpdateError | undefined;
	/** False where DTR and RTS do not reach the board. */
	readonly hasLines?: boolean;
	setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void>;
	close(): Promise<void>;
}

/** The board as its loader tells. */
export interface FoundChip {
	/** ESP8266EX or ESP8285. */
	description: string;
	mac: string;
	/** Bytes. */
	flashSize: number;
}

/** What is written where. */
export interface FlashPart {
	address: number;
	data: Uint8Array;
}

export interface FlashingOptions {
	port: FlashPort;
	/** For messages. */
	name: string;
	/** Of the transfer. */
	baudRate: number;
	/** Erases all of the flash first. */
	erase: boolean;
	/** The parts for this board; throws where they are none for it. */
	parts(chip: FoundChip): readonly FlashPart[];
	/** MD5 in hexadecimal. */
	md5(bytes: Uint8Array): string;
	onStage(stage: "connecting" | "found" | "erasing" | "writing", chip?: FoundChip): void;
	/** Of all parts' bytes. */
	onProgress(done: number, total: number): void;
}

/**
 * Finds the board, writes, compares the flash's MD5 with what was sent, resets. Gives the board. Throws UpdateError:
 * PORT, NO_CHIP, OTHER_CHIP, CABLE_LOST, CABLE_SPACE, CABLE_VERIFY, LOADER.
 */
export async function flash(options: FlashingOptions): Promise<FoundChip> {
	const { port } = options;
	const { loader, transport } = await createLoader(options);
	try {
		options.onStage("connecting");
		const chip = await connect(options, loader);
		options.onStage("found", chip);
		const parts = options.parts(chip);
		for (const { address, data } of parts) {
			if (address + data.length > chip.flashSize) {
				throw new UpdateError(ErrorCode.CABLE_SPACE, address + data.length, chip.flashSize);
			}
		}
		if (options.erase) {
			options.onStage("erasing", chip);
			await loader.eraseFlash();
		}
		options.onStage("writing", chip);
		await write(options, loader, parts);
		await reset(port);
		return chip;
	} catch (error) {
		// What ran before is to run again, where it still can.
		if (!port.lost) await reset(port).catch(() => {});
		if (error instanceof UpdateError) throw error;
		if (port.lost) throw port.lost;
		const text = error instanceof Error ? error.message : String(error);
		if (/MD5/.test(text)) throw new UpdateError(ErrorCode.CABLE_VERIFY);
		throw new UpdateError(ErrorCode.LOADER, text.replace(/\s+/g, " "));
	} finally {
		// Of a port that is gone esptool-js would wait for the streams' locks, for ever.
		await (port.lost ? port.close() : transport.disconnect()).catch(() => {});
	}
}

/** Throws UpdateError where a firmware's header asks for a larger flash than the board has. */
export function checkFlashSize(firmware: Uint8Array, chip: FoundChip): void {
	const wanted = flashSizeOf(firmware[FLASH_SIZE_OFFSET] ?? 0);
	if (wanted > chip.flashSize) throw new UpdateError(ErrorCode.OTHER_FLASH, wanted, chip.flashSize);
}

async function createLoader({ port, baudRate }: FlashingOptions) {
	// Large, and other commands do without.
	const { ESPLoader, Transport } = await import("esptool-js");
	class QuietTransport extends Transport {
		/** The package's own writes to the console. */
		override trace(): void {}

		override async read(timeout: number): Promise<Uint8Array> {
			if (port.lost) throw port.lost;
			const packet = await super.read(timeout);
			if (port.lost) throw port.lost;
			return packet;
		}
	}
	const transport = new QuietTransport(port as SerialPort);
	const terminal = { clean() {}, write() {}, writeLine() {} };
	const loader = new ESPLoader({ transport, terminal, baudrate: baudRate, romBaudrate: ROM_BAUD_RATE });
	return { loader, transport };
}

type Loader = Awaited<ReturnType<typeof createLoader>>["loader"];

async function connect({ port, name, baudRate }: FlashingOptions, loader: Loader): Promise<FoundChip> {
	try {
		await loader.detectChip(port.hasLines === false ? "no_reset" : "default_reset");
	} catch (error) {
		if (error instanceof UpdateError || port.lost) throw error;
		// esptool-js knows each of Espressif's chips by a word of its ROM.
		const unknown = error instanceof Error && /magic|chip id/i.test(error.message);
		throw unknown
			? new UpdateError(ErrorCode.OTHER_CHIP, name, "one that is not known")
			: new UpdateError(ErrorCode.NO_CHIP, name);
	}
	const { chip } = loader;
	if (chip.CHIP_NAME !== "ESP8266") throw new UpdateError(ErrorCode.OTHER_CHIP, name, chip.CHIP_NAME);
	const description = (await chip.getChipDescription?.(loader)) ?? chip.CHIP_NAME;
	const mac = await chip.readMac(loader);
	await loader.runStub();
	// Where the lines do not reach the board, a change of the far end's baud rate does not either.
	if (port.hasLines !== false && baudRate !== ROM_BAUD_RATE) await loader.changeBaud();
	const flashSize = sizeOf(await loader.readFlashId());
	await setFlashSize(loader, flashSize);
	return { description, mac: mac.toUpperCase(), flashSize };
}

/** Bytes, by the third byte of a flash chip's answer, which is the size as a power of two. */
function sizeOf(flashID: number): number {
	const power = (flashID >>> 16) & 0xff;
	if (power < 0x12 || power > 0x18) {
		throw new UpdateError(ErrorCode.LOADER, `the flash chip answers 0x${(flashID >>> 0).toString(16)}`);
	}
	return 2 ** power;
}

async function setFlashSize(loader: Loader, size: number): Promise<void> {
	const view = new DataView(new ArrayBuffer(24));
	[0, size, ...FLASH_UNITS].forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	await loader.checkCommand("set the flash size", SPI_SET_PARAMS, new Uint8Array(view.buffer));
}

async function write(
	{ md5, onProgress }: FlashingOptions,
	loader: Loader,
	parts: readonly FlashPart[],
): Promise<void> {
	const total = parts.reduce((sum, { data }) => sum + data.length, 0);
	await loader.writeFlash({
		fileArray: parts.map(({ address, data }) => ({ address, data })),
		// Not a byte is changed: the image's checksum and signature cover its header.
		flashMode: "keep",
		flashFreq: "keep",
		flashSize: "keep",
		eraseAll: false,
		compress: true,
		calculateMD5Hash: md5,
		reportProgress(index, written, compressed) {
			const before = parts.slice(0, index).reduce((sum, { data }) => sum + data.length, 0);
			const length = parts[index]?.data.length ?? 0;
			onProgress(before + Math.round((length * written) / compressed), total);
		},
	});
}

/** By the line, where there is one. */
async function reset(port: FlashPort): Promise<void> {
	if (port.hasLines === false) return;
	await port.setSignals({ dataTerminalReady: false, requestToSend: true });
	await new Promise((wake) => setTimeout(wake, RESET_TIME));
	await port.setSignals({ dataTerminalReady: false, requestToSend: false });
}
