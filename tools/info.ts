import { Command } from "commander";
import { UpdateError } from "../ota/errors";
import { imageInfo } from "./image-info";
import { imageText } from "./image-text";
import { readImage } from "./read-image";

const EXAMPLES = `
Examples:
  $ ota8266 info firmware.bin
  $ ota8266 info firmware.bin.gz.signed --json

Exit code: 0 the image is whole, 1 it is damaged or no image, 2 wrong usage.`;

export function infoCommand(): Command {
	return new Command("info")
		.description("tell what an image file is, and whether it is whole")
		.argument("<file>", "firmware, boot loader or application image; compressed and signed ones too")
		.option("--json", "print everything as one JSON object")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, { json }: { json?: boolean }) => {
			if (!(await run(file, json ?? false))) process.exitCode = 1;
		});
}

/** True when the image is whole. */
async function run(file: string, json: boolean): Promise<boolean> {
	try {
		const info = imageInfo(await readImage(file));
		const { kind, faults } = info;
		const ok = faults.length === 0;
		if (json) process.stdout.write(`${JSON.stringify({ ok, file, ...info })}\n`);
		else {
			process.stdout.write(imageText(file, info));
			if (!ok) process.stderr.write(`${kind === "none" ? "No image" : "Damaged"}: ${faults.join("; ")}\n`);
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
