/** `ota8266 pack` for eboot: one image, compressed, claimed and signed. */
import type { Claims } from "../ota/claims";
import { ErrorCode, UpdateError } from "../ota/errors";
import { claimRows, sizeText } from "./claims-text";
import { type ElfFlags, type ElfInput, findElfBootLoader, readElfInput } from "./elf-input";
import { requireInflating } from "./image/boot-loader";
import { withClaims } from "./image/claims";
import { type Compression, compress, inflated } from "./image/compress";
import { isGzip } from "./image/gzip";
import { withHeader } from "./image/gzip-header";
import { readPrivateKey } from "./image/keys";
import { schemeFor, schemeTexts } from "./image/signing";
import type { ImageInfo } from "./image-info";
import { layoutForFlash, layoutNamed, USUAL_LAYOUT } from "./layouts";
import { readImage } from "./read-image";
import { requireSignable } from "./signable";
import { table } from "./table";
import { NOT_SIGNING, writeFileIn, writeSigned } from "./write-signed";

export interface ImageFlags extends Claims, ElfFlags {
	/** A linked program, in the place of an image. */
	elf?: string;
	/** What the program is linked for; by the flash's size where not given. */
	layout?: string;
	out: string;
	gzip?: true | "best";
	sign?: string;
	legacy?: boolean;
	filesystem?: boolean;
	force?: boolean;
}

/**
 * Compresses, claims and signs what is in `file`, and tells of it. Throws UpdateError FILE, KEY, SIGNED_ALREADY,
 * NOT_WHOLE or NOT_PACKED.
 */
export async function packImage(file: string, flags: ImageFlags): Promise<void> {
	const { elf, out, sign, legacy = false } = flags;
	const built = elf === undefined ? undefined : await linked(elf, flags);
	const input = built?.firmware ?? (await readImage(file));
	requirePackable(file, requireSignable(file, input, flags), flags);
	const key = sign === undefined ? undefined : await readPrivateKey(sign);
	// Refused before anything is written, and before zopfli takes its time.
	const scheme = key && schemeFor(key, legacy);
	const rows = [...(built?.rows ?? []), ["Image", `${input.length} bytes, ${file}`]];

	const start = performance.now();
	let payload = input;
	const how: Compression = flags.gzip === "best" ? "zopfli" : "zlib";
	if (flags.gzip) payload = await compress(inflated(input), how);
	else if (isGzip(input)) payload = withHeader(input);
	if (flags.gzip) {
		const seconds = ((performance.now() - start) / 1000).toFixed(1);
		const percent = ((100 * payload.length) / inflated(input).length).toFixed(1);
		rows.push(["Gzip", `${payload.length} bytes, ${percent} %, ${how} in ${seconds} s`]);
	}

	const claims = claimsIn(flags);
	const bare = payload.length;
	if (claims) {
		payload = withClaims(payload, claims);
		for (const [title = "", text = ""] of claimRows(claims))
			rows.push([title, `${payload.length - bare} bytes, ${text}`]);
	}

	let total = payload.length;
	if (key && scheme) {
		const length = await writeSigned(out, payload, { key, legacy });
		total += length;
		rows.push(["Signature", `${length} bytes, ${schemeTexts[scheme]}`]);
	} else {
		await writeFileIn(out, payload);
		process.stderr.write(`${NOT_SIGNING}\n`);
	}
	process.stdout.write(table([...rows, ["Packed", `${total} bytes, ${out}`]]));
}

/** The firmware of a program, which its boot loader must be able to inflate where it is to be compressed. */
async function linked(elf: string, flags: ImageFlags): Promise<ElfInput> {
	const { flashSize, layout: name = USUAL_LAYOUT } = flags;
	const found =
		flashSize === undefined || flags.layout !== undefined ? layoutNamed(name) : layoutForFlash(flashSize);
	const actual = Number(found.layout.flashSize);
	if (flashSize !== undefined && flashSize !== actual) {
		const reason = `layout ${name} is for a flash of ${sizeText(actual)}, not ${sizeText(flashSize)}`;
		throw new UpdateError(ErrorCode.NOT_PACKED, elf, reason);
	}
	const bootLoader = await findElfBootLoader(flags.bootloader, found);
	if (flags.gzip) requireInflating(flags.out, bootLoader);
	return readElfInput(elf, { ...flags, bootLoader, layout: found.layout });
}

/** Throws UpdateError NOT_PACKED for a damaged gzip, claims that are there already, or that are not true. */
function requirePackable(
	file: string,
	info: ImageInfo,
	{ flashSize: claimed, filesystem }: ImageFlags,
): void {
	// Of a firmware that is a fault like others.
	if (filesystem && info.gzip && (info.gzip.crc === "wrong" || info.gzip.members > 1)) {
		throw new UpdateError(ErrorCode.NOT_PACKED, file, "it is a gzip that is damaged, or more than one");
	}
	if (info.claims) {
		throw new UpdateError(
			ErrorCode.NOT_PACKED,
			file,
			"it has claims already, give the image as it was built",
		);
	}
	const actual = filesystem ? 0 : (info.bootLoader?.flashSize ?? info.application?.flashSize ?? 0);
	if (claimed !== undefined && actual !== 0 && claimed !== actual) {
		const reason = `its header asks for a flash of ${sizeText(actual)}, not ${sizeText(claimed)}`;
		throw new UpdateError(ErrorCode.NOT_PACKED, file, reason);
	}
}

/** Those that were given; undefined where none was. A program's flash size is its header's: no claim by itself. */
function claimsIn({ versionCounter, flashSize, board, elf }: ImageFlags): Claims | undefined {
	const claimsFlash = flashSize !== undefined && elf === undefined;
	if (versionCounter === undefined && !claimsFlash && board === undefined) return undefined;
	return { versionCounter, flashSize, board };
}
