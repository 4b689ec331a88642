/** Keys as PEM text, as `ota8266 keygen` and openssl write them. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { readBounded } from "../read-image";

/** More than a key of 4096 bits takes, several times. */
const FILE_MAX = 0x10000;
/** Bits of an RSA key: the least is the strength of today, the most what a board verifies in a second or two. */
const RSA_BITS = { min: 2048, max: 4096 };
/** OpenSSL's name of P-256. */
const P256 = "prime256v1";

export interface Key {
	/** Where it came from, for messages. */
	readonly name: string;
	readonly type: "rsa" | "p256";
	/** Of the modulus, or of the curve. */
	readonly bits: number;
	readonly object: KeyObject;
}

/** A public key from a file. Throws UpdateError FILE or KEY. */
export async function readPublicKey(file: string): Promise<Key> {
	return publicKey(await readPEM(file), file);
}

/** Public keys from files. Throws UpdateError FILE or KEY. */
export function readPublicKeys(files: readonly string[]): Promise<Key[]> {
	return Promise.all(files.map(readPublicKey));
}

/** A private key from a file. Throws UpdateError FILE or KEY. */
export async function readPrivateKey(file: string): Promise<Key> {
	return privateKey(await readPEM(file), file);
}

/** A public key of a kind that boards verify with. Throws UpdateError KEY. */
export function publicKey(pem: string, name: string): Key {
	const labels = labelsOf(pem);
	// Node would make the public key of either.
	if (labels.some((label) => label.includes("PRIVATE"))) {
		throw unusable(name, "it is a private key, give the public one");
	}
	if (labels.includes("CERTIFICATE")) {
		throw unusable(name, "it is a certificate, openssl x509 -pubkey -noout gets the key out of it");
	}
	if (!labels.some((label) => label.includes("PUBLIC KEY")))
		throw unusable(name, "no public key in PEM is in it");
	return checked(name, () => createPublicKey(pem));
}

/** A private key of a kind whose signatures boards verify. Throws UpdateError KEY. */
export function privateKey(pem: string, name: string): Key {
	const labels = labelsOf(pem);
	if (!labels.some((label) => label.includes("PRIVATE KEY"))) {
		const isPublic = labels.some((label) => label.includes("PUBLIC KEY"));
		throw unusable(
			name,
			isPublic ? "it is a public key, the private one signs" : "no private key in PEM is in it",
		);
	}
	if (labels.includes("ENCRYPTED PRIVATE KEY") || pem.includes("Proc-Type: 4,ENCRYPTED")) {
		throw unusable(name, "it has a passphrase, openssl pkey -in KEY -out NEW takes it off");
	}
	return checked(name, () => createPrivateKey(pem));
}

/** The public key to a private one. */
export function publicHalf({ name, object }: Key): Key {
	return checked(name, () => createPublicKey(object));
}

/** `RSA-2048`, `P-256`. */
export function keyTypeText({ type, bits }: Pick<Key, "type" | "bits">): string {
	return type === "rsa" ? `RSA-${bits}` : "P-256";
}

/** UpdateError KEY. */
export function unusable(name: string, reason: string): UpdateError {
	return new UpdateError(ErrorCode.KEY, name, reason);
}

function checked(name: string, create: () => KeyObject): Key {
	let object: KeyObject;
	try {
		object = create();
	} catch {
		throw unusable(name, "it is damaged, or of a kind that is not known");
	}
	const { asymmetricKeyType, asymmetricKeyDetails: details = {} } = object;
	if (asymmetricKeyType === "rsa") {
		const { modulusLength: bits = 0, publicExponent = 0n } = details;
		if (bits < RSA_BITS.min || bits > RSA_BITS.max) {
			throw unusable(name, `it is RSA of ${bits} bits, ${RSA_BITS.min} to ${RSA_BITS.max} are wanted`);
		}
		// With 1 anybody can sign.
		if (publicExponent < 3n) throw unusable(name, `its exponent is ${publicExponent}`);
		return { name, type: "rsa", bits, object };
	}
	if (asymmetricKeyType === "ec" && details.namedCurve === P256)
		return { name, type: "p256", bits: 256, object };
	const kind =
		asymmetricKeyType === "ec" ? `the curve ${details.namedCurve}` : `the type ${asymmetricKeyType}`;
	throw unusable(name, `it is of ${kind}, RSA or P-256 is wanted`);
}

async function readPEM(file: string): Promise<string> {
	const bytes = await readBounded(file, FILE_MAX, "are no key");
	return Buffer.from(bytes).toString("latin1");
}

function labelsOf(pem: string): string[] {
	return [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = ""]) => label);
}
