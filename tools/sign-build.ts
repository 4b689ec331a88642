import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ErrorCode, UpdateError } from "../ota/errors";
import type { UpdateKind } from "../ota/kind";
import { deviceKeys, type EmbeddedKey, keyNumbers } from "./image/device-key";
import { publicHalf, readPrivateKey, readPublicKey } from "./image/keys";
import { readImage } from "./read-image";
import { NOT_SIGNING, writeSigned } from "./write-signed";

export const PRIVATE_KEY = "private.key";
export const PUBLIC_KEY = "public.key";

/**
 * Signs what was built, where private.key and public.key lie in the application's folder: `file`.signed, as the
 * Arduino core's build leaves it. Says what it does in that build's words. Gives the path of the signed file, or
 * undefined. Throws UpdateError FILE, KEY, or KEY_PAIR where the keys do not belong together.
 */
export async function signBuild(folder: string, file: string): Promise<string | undefined> {
	const out = `${file}.signed`;
	const keys = { private: join(folder, PRIVATE_KEY), public: join(folder, PUBLIC_KEY) };
	const [signs, verifies] = [await exists(keys.private), await exists(keys.public)];
	// Of an earlier build: `upload` would send it in the place of this one.
	await rm(out, { force: true });
	say(verifies ? "Enabling binary signing" : "Not enabling binary signing");
	if (!signs || !verifies) {
		if (signs || verifies) say(`${NOT_SIGNING}: ${signs ? keys.public : keys.private} is missing`);
		return undefined;
	}
	try {
		const key = await readPrivateKey(keys.private);
		// Not by KeyObject.equals, which leaves an error behind for the next key where the types differ (Node 20).
		if (keyNumbers(publicHalf(key)) !== keyNumbers(await readPublicKey(keys.public))) {
			throw new UpdateError(ErrorCode.KEY_PAIR, keys.private, keys.public);
		}
		await writeSigned(out, await readImage(file), { key });
	} catch (error) {
		say(NOT_SIGNING);
		throw error;
	}
	return out;
}

/** `public.key`, `next.public.key`, `next.firmware.public.key`: the word before `public` may be a kind. */
const PUBLIC_KEY_NAME = /^(?:.+?\.)??(?:(firmware|filesystem)\.)?public\.key$/;

/**
 * The public keys of an application's folder as the setting `publicKeys`, public.key first: the firmware takes only
 * what is signed by one of them then. Undefined where there is none. Throws UpdateError FILE or KEY.
 */
export async function embeddedKeys(folder: string): Promise<string | undefined> {
	const keys: EmbeddedKey[] = [];
	for (const name of (await readdir(folder)).sort()) {
		const found = PUBLIC_KEY_NAME.exec(name);
		if (!found) continue;
		const key = { key: await readPublicKey(join(folder, name)), kind: kindOf(found[1]) };
		if (name === PUBLIC_KEY) keys.unshift(key);
		else keys.push(key);
	}
	return keys.length > 0 ? deviceKeys(keys) : undefined;
}

function kindOf(name: string | undefined): UpdateKind | undefined {
	return name === "firmware" || name === "filesystem" ? name : undefined;
}

async function exists(file: string): Promise<boolean> {
	try {
		await access(file);
		return true;
	} catch {
		return false;
	}
}

function say(text: string): void {
	process.stderr.write(`${text}\n`);
}
