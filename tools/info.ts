import { Command } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { readPublicKeys } from "./image/keys";
import { schemeTexts } from "./image/signing";
import { type Verification, verifyFile } from "./image/verification";
import { type ImageInfo, imageInfo } from "./image-info";
import { imageText } from "./image-text";
import { more } from "./option-values";
import { readImage } from "./read-image";

interface InfoFlags {
	key?: string[];
	legacy?: boolean;
	json?: boolean;
}

const EXAMPLES = `
Examples:
  $ ota8266 info firmware.bin
  $ ota8266 info firmware.bin.gz.signed --json
  $ ota8266 info firmware.bin.signed --key public.key

Exit code: 0 the image is whole and, with --key, signed by it; 1 it is not; 2 wrong usage.`;

export function infoCommand(): Command {
	return new Command("info")
		.description("tell what an image file is, and whether it is whole")
		.argument("<file>", "firmware, boot loader or application image; compressed and signed ones too")
		.option("--key <file>", "verify it with this public key; more than one may be given", more)
		.option("--legacy", "take signatures of the Arduino core up to 2.5.2 too")
		.option("--json", "print everything as one JSON object")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, flags: InfoFlags) => {
			if (!(await run(file, flags))) process.exitCode = 1;
		});
}

/** True when the image is whole, and signed by one of the keys where there are any. */
async function run(file: string, { key: keyFiles, legacy, json = false }: InfoFlags): Promise<boolean> {
	try {
		const keys = keyFiles && (await readPublicKeys(keyFiles));
		const bytes = await readImage(file);
		const info = imageInfo(bytes);
		const verification = keys && verifyFile(bytes, keys, legacy);
		const problems = problemsOf(file, info, verification);
		const ok = problems.length === 0;
		if (json) {
			process.stdout.write(`${JSON.stringify({ ok, file, ...info, ...verificationReport(verification) })}\n`);
		} else {
			const verified = verification?.ok
				? `verified by ${verification.key.name}, ${schemeTexts[verification.scheme]}`
				: undefined;
			process.stdout.write(imageText(file, info, verified));
			for (const problem of problems) process.stderr.write(`${problem}\n`);
		}
		return ok;
	} catch (error) {
		if (!(error instanceof UpdateError)) throw error;
		const { code, message: text } = error;
		if (json) process.stdout.write(`${JSON.stringify({ ok: false, file, error: { code, text } })}\n`);
		else process.stderr.write(`${text}\n`);
		return false;
	}
}

function problemsOf(
	file: string,
	{ kind, faults }: ImageInfo,
	verification: Verification | undefined,
): string[] {
	const problems: string[] = [];
	if (faults.length > 0) problems.push(`${kind === "none" ? "No image" : "Damaged"}: ${faults.join("; ")}`);
	if (verification && !verification.ok) {
		problems.push(new UpdateError(ErrorCode.NOT_VERIFIED, file, verification.reason).message);
	}
	return problems;
}

/** For JSON, without the key itself and the payload. */
function verificationReport(verification: Verification | undefined): object {
	if (!verification) return {};
	if (!verification.ok) return { verification };
	const { ok, scheme, key } = verification;
	return { verification: { ok, scheme, key: key.name } };
}
