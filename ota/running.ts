/** The firmware that runs, as it lies in flash. */
import flash, { type Flash } from "embedded:storage/flash";
import Timer from "timer";
import type { Board } from "./board";
import { installedFirmware } from "./boot-record/outcome";
import { DESCRIPTOR_LENGTH, DESCRIPTOR_PLACE, readDescriptor } from "./descriptor";
import { FlashDigest } from "./flash-digest";
import { crcText, GzipCRC } from "./gzip-crc";
import {
	APPLICATION_OFFSET,
	HEADER_LENGTH,
	IMAGE_MAGIC,
	imageEnd,
	SEGMENT_HEADER_LENGTH,
	SEGMENTS_MAX,
} from "./image";

export class RunningFirmware {
	/** Bytes from the start of its partition to the end of the application image, the core's getSketchSize; 0 where its header makes no sense. */
	readonly size: number = 0;
	/** Name and version text of its descriptor, empty where it has none. */
	readonly name: string = "";
	readonly version: string = "";
	/** MD5 of `size` bytes of flash, or of what was sent, 32 hexadecimal digits; undefined until `measure` has ended. */
	md5: string | undefined;

	/** `applicationOffset`: the boot strategy's; eboot's where not given. */
	constructor(applicationOffset = APPLICATION_OFFSET) {
		let running: Flash;
		try {
			running = flash.open({ path: "running", mode: "r" });
		} catch {
			// A partition table that is damaged: it runs on, and nothing is known of it.
			return;
		}
		this.size = sizeOf(running, applicationOffset);
		const bytes = running.read(DESCRIPTOR_LENGTH, applicationOffset + DESCRIPTOR_PLACE);
		const descriptor = readDescriptor(new DataView(bytes), 0);
		this.name = descriptor?.name ?? "";
		this.version = descriptor?.version ?? "";
		running.close();
	}

	/**
	 * Computes `md5` in slices between which the event loop turns. With our boot loader flash has another sector 0 than the
	 * file had: with `board` an image that came through the air is known by its CRC, and `md5` is that of what was sent.
	 */
	measure(onDone?: () => void, board?: Board): void {
		// In a turn of its own, for the stack's sake.
		if (board) Timer.set(() => this.recognize(board, onDone));
		else this.digest(onDone);
	}

	private recognize(board: Board, onDone: (() => void) | undefined): void {
		const installed = installedFirmware();
		if (!installed) {
			this.digest(onDone);
			return;
		}
		const { header, start, crc, image } = installed;
		new FlashDigest({
			partition: "running",
			start,
			length: header.length - start,
			digest: new GzipCRC(board),
			onDone: (given) => {
				if (given === crcText(crc)) {
					this.md5 = image.md5;
					onDone?.();
				} else this.digest(onDone);
			},
		});
	}

	private digest(onDone: (() => void) | undefined): void {
		new FlashDigest({
			partition: "running",
			length: this.size,
			onDone: (md5) => {
				this.md5 = md5;
				onDone?.();
			},
		});
	}
}

/** Walks the application's segments, whose headers only are read. */
function sizeOf(running: Flash, applicationOffset: number): number {
	const { size } = running.status();
	const view = new DataView(new ArrayBuffer(SEGMENT_HEADER_LENGTH));
	running.read(view, applicationOffset);
	const count = view.getUint8(1);
	if (view.getUint8(0) !== IMAGE_MAGIC || count > SEGMENTS_MAX) return 0;
	let end = applicationOffset + HEADER_LENGTH;
	for (let i = 0; i < count; i++) {
		if (end + SEGMENT_HEADER_LENGTH > size) return 0;
		running.read(view, end);
		end += SEGMENT_HEADER_LENGTH + view.getUint32(4, true);
	}
	end = imageEnd(end);
	return end > size ? 0 : end;
}
