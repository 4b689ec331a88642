import { generateKeyPairSync } from "node:crypto";
import { lstat, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { PRIVATE_KEY, PUBLIC_KEY } from "./sign-build";
import { table } from "./table";

const types = ["rsa2048", "rsa3072", "rsa4096", "p256"] as const;
type KeyType = (typeof types)[number];

interface KeyPair {
	privateKey: string;
	publicKey: string;
}

const EXAMPLES = `
Examples:
  $ ota8266 keygen --out .                    beside manifest.json: the build signs from then on
  $ ota8266 keygen --out keys --type p256     shorter signatures; not for boards with the Arduino core

Exit code: 0 done, 1 failed, 2 wrong usage.`;

export function keygenCommand(): Command {
	return new Command("keygen")
		.description("make a pair of keys: one signs updates, boards verify them with the other")
		.requiredOption("--out <folder>", `where ${PRIVATE_KEY} and ${PUBLIC_KEY} go`)
		.addOption(
			new Option("--type <type>", "RSA as the Arduino core has it, or ECDSA P-256")
				.choices(types)
				.default("rsa2048"),
		)
		.addHelpText("after", EXAMPLES)
		.action(async ({ out, type }: { out: string; type: KeyType }) => {
			await writeKeys(out, generate(type));
		});
}

/** PKCS#8 and SPKI in PEM, which openssl and the Arduino core read. */
function generate(type: KeyType): KeyPair {
	const publicKeyEncoding = { type: "spki", format: "pem" } as const;
	const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
	if (type === "p256") {
		return generateKeyPairSync("ec", { namedCurve: "P-256", publicKeyEncoding, privateKeyEncoding });
	}
	const modulusLength = Number(type.slice("rsa".length));
	return generateKeyPairSync("rsa", { modulusLength, publicKeyEncoding, privateKeyEncoding });
}

async function writeKeys(folder: string, pair: KeyPair): Promise<void> {
	const privateFile = join(folder, PRIVATE_KEY);
	const publicFile = join(folder, PUBLIC_KEY);
	for (const file of [privateFile, publicFile]) {
		if (await exists(file)) throw new UpdateError(ErrorCode.KEY_EXISTS, file);
	}
	await mkdir(folder, { recursive: true });
	// wx: nothing that came in between is overwritten either.
	await writeFile(privateFile, pair.privateKey, { flag: "wx", mode: 0o600 });
	try {
		await writeFile(publicFile, pair.publicKey, { flag: "wx" });
	} catch (error) {
		// Half a pair is in the way of the next try.
		await rm(privateFile);
		throw error;
	}
	process.stdout.write(
		`${table([
			[privateFile, "signs updates. Whoever has it can update your boards: keep it secret, out of git, and"],
			["", "keep a copy, since without it no board that wants signatures takes an update any more."],
			[publicFile, "goes into the firmware, which then takes only what the other has signed. No secret."],
		])}Beside manifest.json the build uses both; elsewhere: ota8266 sign FILE --key ${privateFile}\n`,
	);
}

/** A link that leads nowhere is there, too. */
async function exists(file: string): Promise<boolean> {
	try {
		await lstat(file);
		return true;
	} catch {
		return false;
	}
}
