import { ErrorCode, UpdateError } from "./errors";
import {
	ApplicationScanner,
	bootImageFault,
	FLASH_SIZE_OFFSET,
	flashSizeOf,
	GZIP_MAGIC,
	GZIP_MAGIC_2,
	IMAGE_MAGIC,
} from "./image";
import { isStaged, type Place, type UpdateKind } from "./kind";
import type { UpdateContext } from "./update-options";

/** Checks what an update consists of while it streams by: what would not boot is refused as soon as it is seen. */
export class Content {
	/** The boot loader is to inflate it. */
	gzip = false;
	private readonly kind: UpdateKind;
	private readonly place: Place;
	private readonly context: UpdateContext;
	/** Of a raw firmware. */
	private readonly scanner = new ApplicationScanner();

	constructor(kind: UpdateKind, place: Place, context: UpdateContext) {
		this.kind = kind;
		this.place = place;
		this.context = context;
	}

	get isRawFirmware(): boolean {
		return this.kind === "firmware" && !this.gzip;
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
		const { flashSize, configuredFlashSize } = this.context.board;
		// The SDK and the layout go by this header: another size would look for the partitions elsewhere.
		const size = flashSizeOf(sector[FLASH_SIZE_OFFSET] ?? 0);
		if (position === 0 && (size > flashSize || size !== configuredFlashSize)) {
			throw new UpdateError(ErrorCode.NEW_FLASH_CONFIG, flashSize);
		}
		let fault = position === 0 ? bootImageFault(sector) : undefined;
		fault ??= this.scanner.write(new DataView(sector.buffer), length);
		if (fault) throw new UpdateError(ErrorCode.IMAGE, fault);
	}

	/** Of a raw firmware: all of the application is within so many bytes. Throws UpdateError IMAGE. */
	checkWhole(byteLength: number): void {
		const fault = this.isRawFirmware ? this.scanner.close(byteLength) : undefined;
		if (fault) throw new UpdateError(ErrorCode.IMAGE, fault);
	}

	private checkInflates(): void {
		this.gzip = true;
		if (!isStaged(this.place))
			throw new UpdateError(ErrorCode.IMAGE, "gzip, which is for atomic updates only");
		if (!this.context.boot.inflates) throw new UpdateError(ErrorCode.IMAGE, "gzip, which it cannot inflate");
	}
}
