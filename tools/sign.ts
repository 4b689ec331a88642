import { resolve } from "node:path";
import { Command } from "commander";
import { readPrivateKey } from "./image/keys";
import { schemeFor, schemeTexts } from "./image/signing";
import { readImage } from "./read-image";
import { requireSignable } from "./signable";
import { writeSigned } from "./write-signed";

interface SignFlags {
	key: string;
	out?: string;
	legacy?: boolean;
	filesystem?: boolean;
	force?: boolean;
}

const EXAMPLES = `
Examples:
  $ ota8266 sign firmware.bin --key private.key        makes firmware.bin.signed, which upload then prefers
  $ ota8266 sign firmware.bin.gz --key private.key     compress first, then sign
  $ ota8266 sign littlefs.bin --key private.key --filesystem

Exit code: 0 signed, 1 not signed, 2 wrong usage.`;

export function signCommand(): Command {
	const command = new Command("sign");
	return command
		.description("sign an image, as the Arduino core's build does")
		.argument("<file>", "firmware or filesystem, raw or compressed")
		.requiredOption("--key <file>", "private key in PEM: RSA of 2048 to 4096 bits, or P-256")
		.option("--out <file>", "where to (default: FILE.signed)")
		.option("--legacy", "in the old way, for boards with an Arduino core up to 2.5.2")
		.option("--filesystem", "the image is a filesystem, not a firmware")
		.option("--force", "sign what looks damaged, or is signed already")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, flags: SignFlags) => {
			const { legacy = false, out = `${file}.signed` } = flags;
			if (resolve(out) === resolve(file))
				command.error("error: --out would overwrite the file that is signed");
			const image = await readImage(file);
			requireSignable(file, image, flags);
			const key = await readPrivateKey(flags.key);
			const length = await writeSigned(out, image, { key, legacy });
			const total = image.length + length;
			process.stdout.write(
				`${total} bytes, ${length} of them signature: ${schemeTexts[schemeFor(key, legacy)]}\n`,
			);
		});
}
