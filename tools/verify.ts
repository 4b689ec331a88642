import { Command } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { claimRows } from "./claims-text";
import { claimsOf } from "./image/claims";
import { keyTypeText, readPublicKeys } from "./image/keys";
import { schemeTexts } from "./image/signing";
import { verifyFile } from "./image/verification";
import { more } from "./option-values";
import { readImage } from "./read-image";
import { table } from "./table";

interface VerifyFlags {
	key: string[];
	legacy?: boolean;
	json?: boolean;
}

const EXAMPLES = `
Examples:
  $ ota8266 verify firmware.bin.signed --key public.key
  $ ota8266 verify firmware.bin.signed --key old/public.key --key new/public.key --json

Exit code: 0 the signature is right, 1 it is not, 2 wrong usage.`;

export function verifyCommand(): Command {
	return new Command("verify")
		.description("tell whether a file is signed by a key, and how, or why not")
		.argument("<file>", "signed firmware or filesystem")
		.requiredOption("--key <file>", "public key in PEM; more than one may be given", more)
		.option("--legacy", "take signatures of the Arduino core up to 2.5.2 too")
		.option("--json", "print everything as one JSON object")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, flags: VerifyFlags) => {
			if (!(await run(file, flags))) process.exitCode = 1;
		});
}

/** True when the signature is right. */
async function run(
	file: string,
	{ key: keyFiles, legacy = false, json = false }: VerifyFlags,
): Promise<boolean> {
	let reason: string | undefined;
	try {
		const keys = await readPublicKeys(keyFiles);
		const bytes = await readImage(file);
		const result = verifyFile(bytes, keys, legacy);
		if (!result.ok) {
			reason = result.reason;
			throw new UpdateError(ErrorCode.NOT_VERIFIED, file, reason);
		}
		const { scheme, key, payload, signatureLength } = result;
		const claims = claimsOf(payload);
		const report = {
			ok: true,
			file,
			scheme,
			key: key.name,
			payload: payload.length,
			signatureLength,
			claims,
		};
		process.stdout.write(
			json
				? `${JSON.stringify(report)}\n`
				: table([
						["Verified", file],
						["Key", `${key.name}, ${keyTypeText(key)}`],
						["Signature", `${signatureLength} bytes, ${schemeTexts[scheme]}`],
						["Payload", `${payload.length} bytes`],
						...(claims ? claimRows(claims) : [["Claims", "none"]]),
					]),
		);
		return true;
	} catch (error) {
		if (!(error instanceof UpdateError)) throw error;
		const { code, message: text } = error;
		if (json) process.stdout.write(`${JSON.stringify({ ok: false, file, reason, error: { code, text } })}\n`);
		else process.stderr.write(`${text}\n`);
		return false;
	}
}
