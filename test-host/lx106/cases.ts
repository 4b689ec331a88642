/** What is measured on the lx106: workloads, and which of their measures are figures. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deviceKey } from "../../tools/image/device-key";
import { formBody } from "../tests/form-body";
import { root } from "../virtual/bundle";
import { buildFirmware } from "../virtual/image-builder";
import type { Workload } from "./run";

const KB = 1024;
const FORM_BOUNDARY = "----WebKitFormBoundaryabcdefghijklmnop";
/** A firmware of 64 KB; what its script says does not matter. */
export const image = buildFirmware({
	name: "lx106",
	version: "2.0.0",
	script: "x".repeat(1000),
	padTo: 64 * KB,
});
export const digested = image.subarray(0, 16 * KB);
export const formImage = image.subarray(0, 32 * KB);
/** Such as Chromium sends. */
export const head = [
	"POST /update HTTP/1.1",
	"Host: 192.168.1.50",
	"Connection: keep-alive",
	"Content-Length: 32768",
	"Authorization: Basic YWRtaW46b3BlbiBzZXNhbWU=",
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
	`Content-Type: multipart/form-data; boundary=${FORM_BOUNDARY}`,
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"Accept-Encoding: gzip, deflate",
	"Accept-Language: en-US,en;q=0.9",
	"",
	"",
].join("\r\n");

interface Vectors {
	message: string;
	vectors: readonly { name: string; publicKey: string; signature: string }[];
}

export interface Vector {
	name: string;
	publicPEM: string;
	signature: Buffer;
	message: Buffer;
}

/** Signatures of one message, each by another key. */
export function signatureVectors(): Vector[] {
	const file = join(root, "test-host/fixtures/signatures.json");
	const { message, vectors } = JSON.parse(readFileSync(file, "utf8")) as Vectors;
	return vectors.map(({ name, publicKey, signature }) => ({
		name,
		publicPEM: `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`,
		signature: Buffer.from(signature, "base64"),
		message: Buffer.from(message),
	}));
}

/** A measure that is a figure, and over how much it is spread. */
interface Wanted {
	/** In the workload. */
	measure: string;
	/** What it is, in a few words. */
	name: string;
	/** KB that it took; not given: it is told as a whole. */
	kilobytes?: number;
}

export interface Case {
	workload: Workload;
	wanted: readonly Wanted[];
}

function receiving(piece: number): Case {
	const md5 = createHash("md5").update(image).digest("hex");
	const kilobytes = image.length / KB;
	const pieces = `pieces of ${piece}`;
	return {
		workload: { script: "receive", settings: { piece, md5 }, resources: { image } },
		wanted: [
			{ measure: "write", name: `Update.write, ${pieces}`, kilobytes },
			{ measure: "copy", name: `of that, the copy into the sector, ${pieces}`, kilobytes: piece / KB },
			{ measure: "open", name: `Updater.open, ${pieces}` },
			{ measure: "complete", name: `Update.complete, ${pieces}` },
		],
	};
}

function verifying({ name, publicPEM, signature, message }: Vector): Case {
	const digest = createHash("sha256").update(message).digest();
	return {
		workload: {
			script: "verify",
			settings: { key: deviceKey(publicPEM) },
			resources: { signature, digest },
		},
		wanted: [
			{ measure: "key", name: `${name}, key parsed` },
			{ measure: "verify", name: `${name}, verified` },
		],
	};
}

export function cases(): Case[] {
	const type = `multipart/form-data; boundary=${FORM_BOUNDARY}`;
	const kilobytes = digested.length / KB;
	const form = formBody([["firmware", formImage]], FORM_BOUNDARY);
	return [
		...signatureVectors().map(verifying).reverse(),
		receiving(1460),
		receiving(1024),
		{
			workload: { script: "digests", resources: { image: digested } },
			wanted: [
				{ measure: "MD5", name: "MD5", kilobytes },
				{ measure: "SHA256", name: "SHA-256", kilobytes },
				{ measure: "CRC", name: "CRC of a gzip", kilobytes },
			],
		},
		{
			workload: {
				script: "form",
				settings: { type },
				resources: { head: Buffer.from(head), form },
			},
			wanted: [
				{ measure: "form, first piece", name: "form's parser, first piece" },
				{ measure: "form", name: "form's parser", kilobytes: form.length / KB - 1 },
				{ measure: "head", name: `head of a request, ${head.length} bytes` },
			],
		},
	];
}
