/**
 * The body of a request that updates, a form or the bare image, as bytes of the image. What it finds waits for
 * whoever writes it to the flash: from within the parser the engine's stack would not do.
 */
import { ErrorCode, UpdateError } from "../errors";
import type { UpdateKind } from "../kind";
import { Multipart, type PartSink } from "./multipart";

/** Bytes of a piece. A TCP segment has 1,460, but the memory is short. */
export const PIECE = 1024;
/** What a form may have beside the image: delimiters, headers, other fields. */
export const FORM_OVERHEAD = 8192;
const MD5_LENGTH = 32;

/** The fields that count. The last two are those of older cores' page and documentation. */
const fields: Readonly<Record<string, UpdateKind>> = Object.freeze({
	firmware: "firmware",
	filesystem: "filesystem",
	image: "firmware",
	update: "firmware",
});

export class Upload implements PartSink {
	/** What is updated; undefined as long as a form has not told. */
	kind: UpdateKind | undefined;
	/** 32 hexadecimal digits, where they were told before the image. */
	md5: string | undefined;
	/** Bytes of the image that wait: views that the next `room` makes worthless. */
	readonly found: Uint8Array[] = [];
	private readonly multipart: Multipart | undefined;
	private piece: Uint8Array | undefined;
	/** The part that comes: one that counts, the field `md5`, or another one. */
	private part: UpdateKind | "md5" | "other" = "other";
	/** The image of this part has begun. */
	private begun = false;
	/** The field `md5` so far. */
	private text = "";

	/** `form`: its Content-Type; undefined for a bare image of `kind`. Throws UpdateError FORM. */
	constructor(form: string | undefined, kind: UpdateKind, md5: string | undefined) {
		this.md5 = md5;
		if (form === undefined) this.kind = kind;
		else this.multipart = new Multipart(form, PIECE, this);
	}

	/** Where the next piece goes, at most PIECE bytes. */
	get room(): Uint8Array {
		if (this.multipart) return this.multipart.room;
		this.piece ??= new Uint8Array(PIECE);
		return this.piece;
	}

	/** Takes a piece that was put there. Throws UpdateError FORM or BAD_MD5. */
	take(bytes: Uint8Array): void {
		this.found.length = 0;
		if (this.multipart) this.multipart.consume(bytes.length);
		else this.found.push(bytes);
	}

	/** All has come. Throws UpdateError FORM, or NO_DATA where nothing of an image did. */
	end(): void {
		if (this.multipart && !this.multipart.complete) throw new UpdateError(ErrorCode.FORM, "it is cut short");
		if (this.kind === undefined) throw new UpdateError(ErrorCode.NO_DATA);
	}

	onPart(name: string): void {
		this.part = Object.hasOwn(fields, name) ? (fields[name] ?? "other") : name === "md5" ? "md5" : "other";
		this.text = "";
		this.begun = false;
	}

	/** A file that was not chosen comes as an empty part, which counts for nothing. */
	onData(bytes: Uint8Array): void {
		const part = this.part;
		if (part === "firmware" || part === "filesystem") {
			if (!this.begun && this.kind) throw new UpdateError(ErrorCode.FORM, "two files");
			this.begun = true;
			this.kind = part;
			this.found.push(bytes);
		} else if (part === "md5") {
			if (this.text.length + bytes.length > MD5_LENGTH) throw new UpdateError(ErrorCode.BAD_MD5);
			for (const byte of bytes) this.text += String.fromCharCode(byte);
		}
	}

	onPartEnd(): void {
		if (this.part !== "md5" || this.text === "") return;
		// Later it would have to be compared with what has been read already.
		if (this.kind) throw new UpdateError(ErrorCode.FORM, "the field md5 comes after the file");
		this.md5 = this.text;
	}
}
