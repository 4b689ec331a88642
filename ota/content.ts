import type { ImageScanner } from "./boot";
import { ErrorCode, UpdateError } from "./errors";
import { FLASH_SIZE_OFFSET, flashSizeOf, GZIP_MAGIC, GZIP_MAGIC_2, IMAGE_MAGIC } from "./image";
import { isStaged, type Place, type UpdateKind } from "./kind";
import type { UpdateContext } from "./update-options";

/** DOUT; what the board cannot tell is no mode. */
const FLASH_MODE_MAX = 3;

/** Checks what an update consists of while it streams by: what would not boot is refused as soon as it is seen. */
export class Content {
	/** The boot loader is to inflate it. */
	gzip = false;
	private readonly kind: UpdateKind;
	private readonly place: Place;
	private readonly context: UpdateContext;
	/** Of a raw firmware. */
	private readonly scanner: ImageScanner;

	/** `address`: where it is staged, a flash offset. */
	constructor(kind: UpdateKind, place: Place, context: UpdateContext, address: number) {
		this.kind = kind;
		this.place = place;
		this.context = context;
		this.scanner = context.boot.scanner(address);
	}

	get isRawFirmware(): boolean {
		return this.kind === "firmware" && !this.gzip;
	}

	/** What the header of a raw firmware must have, where the chip goes by it. */
	get flashMode(): number | undefined {
		const { board, boot } = this.context;
		const isOwn = this.isRawFirmware && boot.ownsHeader && board.flashMode <= FLASH_MODE_MAX;
		return isOwn ? board.flashMode : undefined;
	}

	/** Of a firmware the first byte decides before any flash is touched. Throws UpdateError MAGIC_BYTE or IMAGE. */
	checkMagic(first: number | undefined): void {
		if (this.kind !== "firmware") return;
		if (first !== IMAGE_MAGIC && first !== GZIP_MAGIC) throw new UpdateError(ErrorCode.MAGIC_BYTE);
		if (first === GZIP_MAGIC) this.checkInflates();
	}

	/**
	 * The next sector, the first one before any flash is touched; `length` bytes of it have come. Throws UpdateError
	 * MAGIC_BYTE, NEW_FLASH_CONFIG or IMAGE.
	 */
	checkSector(sector: Uint8Array, length: number, position: number): void {
		if (this.kind === "filesystem") {
			// One that begins as a gzip would be inflated by the boot loader.
			if (position === 0 && sector[0] === GZIP_MAGIC && sector[1] === GZIP_MAGIC_2) this.checkInflates();
			return;
		}
		if (this.gzip) {
			if (position === 0 && sector[1] !== GZIP_MAGIC_2) throw new UpdateError(ErrorCode.MAGIC_BYTE);
			return;
		}
		if (position === 0) this.checkHeader(sector);
		let fault = position === 0 ? this.context.boot.firstSectorFault(sector) : undefined;
		fault ??= this.scanner.write(new DataView(sector.buffer), length);
		if (fault) throw new UpdateError(ErrorCode.IMAGE, fault);
	}

	/** Of a raw firmware: all of the application is within so many bytes. Throws UpdateError IMAGE. */
	checkWhole(byteLength: number): void {
		const fault = this.isRawFirmware ? this.scanner.close(byteLength) : undefined;
		if (fault) throw new UpdateError(ErrorCode.IMAGE, fault);
	}

	private checkHeader(sector: Uint8Array): void {
		const { board, boot } = this.context;
		const { flashSize, configuredFlashSize } = board;
		const size = flashSizeOf(sector[FLASH_SIZE_OFFSET] ?? 0);
		// The SDK and the layout go by eboot's header: another size would look for the partitions elsewhere.
		const isOther = boot.ownsHeader && size !== configuredFlashSize;
		if (size > flashSize || isOther) throw new UpdateError(ErrorCode.NEW_FLASH_CONFIG, flashSize);
	}

	private checkInflates(): void {
		this.gzip = true;
		if (!isStaged(this.place))
			throw new UpdateError(ErrorCode.IMAGE, "gzip, which is for atomic updates only");
		if (!this.context.boot.inflates) throw new UpdateError(ErrorCode.IMAGE, "gzip, which it cannot inflate");
	}
}
