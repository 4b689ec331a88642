import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { Claims } from "../ota/claims";
import { ErrorCode, UpdateError } from "../ota/errors";
import { claimRows, sizeText } from "./claims-text";
import { withClaims } from "./image/claims";
import { type Compression, compress, inflated } from "./image/compress";
import { isGzip } from "./image/gzip";
import { withHeader } from "./image/gzip-header";
import { readPrivateKey } from "./image/keys";
import { schemeFor, schemeTexts } from "./image/signing";
import type { ImageInfo } from "./image-info";
import { boardID, flashSize, flashSizes, versionCounter } from "./option-values";
import { readImage } from "./read-image";
import { requireSignable } from "./signable";
import { table } from "./table";
import { NOT_SIGNING, writeFileIn, writeSigned } from "./write-signed";

interface PackFlags extends Claims {
	in: string;
	out: string;
	gzip?: true | "best";
	sign?: string;
	legacy?: boolean;
	filesystem?: boolean;
	force?: boolean;
}

const EXAMPLES = `
Examples:
  $ ota8266 pack --in firmware.bin --gzip=best --out firmware.bin.gz
  $ ota8266 pack --in firmware.bin --gzip --sign private.key --version-counter 7 --out firmware.bin.gz.signed
  $ ota8266 pack --in littlefs.bin --filesystem --gzip --sign private.key --out littlefs.bin.gz.signed

Exit code: 0 packed, 1 not packed, 2 wrong usage.`;

export function packCommand(): Command {
	const command = new Command("pack");
	return command
		.description("compress an image, say what it is for, and sign it")
		.requiredOption("--in <file>", "the image as it was built")
		.requiredOption("--out <file>", "where to")
		.addOption(
			new Option(
				"--gzip [best]",
				"compress; best takes seconds (zopfli) and saves some percent more",
			).choices(["best"]),
		)
		.option("--sign <key>", "private key in PEM: RSA of 2048 to 4096 bits, or P-256")
		.option("--legacy", "sign in the old way, for boards with an Arduino core up to 2.5.2")
		.option(
			"--version-counter <number>",
			"claim: boards that look at it take no smaller one later",
			versionCounter,
		)
		.option("--board <id>", "claim: for this board only", boardID)
		.option(
			"--flash-size <size>",
			`claim: for this flash only, ${[...flashSizes.keys()].join(", ")}`,
			flashSize,
		)
		.option(
			"--filesystem",
			"the image is a filesystem; compressed it is for boards that update it atomically",
		)
		.option("--force", "pack what looks damaged")
		.addHelpText("after", EXAMPLES)
		.action(async (flags: PackFlags) => {
			if (flags.legacy && flags.sign === undefined) command.error("error: --legacy wants --sign");
			if (resolve(flags.out) === resolve(flags.in)) command.error("error: --out would overwrite --in");
			await pack(flags);
		});
}

async function pack(flags: PackFlags): Promise<void> {
	const { in: file, out, sign, legacy = false } = flags;
	const input = await readImage(file);
	requirePackable(file, requireSignable(file, input, flags), flags);
	const key = sign === undefined ? undefined : await readPrivateKey(sign);
	// Refused before anything is written, and before zopfli takes its time.
	const scheme = key && schemeFor(key, legacy);
	const rows = [["Image", `${input.length} bytes, ${file}`]];

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

/** Throws UpdateError NOT_PACKED for a damaged gzip, claims that are there already, or that are not true. */
function requirePackable(file: string, info: ImageInfo, { flashSize: claimed, filesystem }: PackFlags): void {
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

/** Those that were given; undefined where none was. */
function claimsIn({ versionCounter, flashSize, board }: PackFlags): Claims | undefined {
	if (versionCounter === undefined && flashSize === undefined && board === undefined) return undefined;
	return { versionCounter, flashSize, board };
}
