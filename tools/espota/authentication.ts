/**
 * How a password is proved without being sent. A stock Arduino device sends a nonce of 32 digits and takes an
 * MD5; ours sends 64 digits and takes an HMAC-SHA256 that also binds what is about to be sent.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";

const COMMAND_AUTHENTICATION = 200;

/** What the uploader offers: the fields of the invitation. */
export interface Offer {
	/** 0 firmware, 100 filesystem. */
	command: 0 | 100;
	/** TCP port that the uploader listens on. */
	port: number;
	/** Bytes to come. */
	size: number;
	/** MD5 of these bytes, 32 lower-case hexadecimal digits. */
	md5: string;
}

/** The datagram that invites a device: `<command> <tcp port> <size> <md5>`. */
export function invitationText({ command, port, size, md5 }: Offer): string {
	return `${command} ${port} ${size} ${md5}\n`;
}

/** The datagram that answers `AUTH <nonce>`: `200 <cnonce> <response>`, both as long as the nonce. */
export function answerText(nonce: string, password: string, offer: Offer): string {
	const cnonce = randomBytes(nonce.length / 2).toString("hex");
	const response =
		nonce.length === 64
			? strongResponse(password, nonce, cnonce, offer)
			: md5Response(password, nonce, cnonce);
	return `${COMMAND_AUTHENTICATION} ${cnonce} ${response}\n`;
}

/** What espota answers: MD5 of the password's MD5 and both nonces, 32 digits. */
export function md5Response(password: string, nonce: string, cnonce: string): string {
	return md5Hex(`${md5Hex(password)}:${nonce}:${cnonce}`);
}

/** HMAC-SHA256, keyed with the password's MD5 in text, over both nonces and the offer, 64 digits. */
export function strongResponse(password: string, nonce: string, cnonce: string, offer: Offer): string {
	const { command, size, md5 } = offer;
	const message = `${nonce}:${cnonce}:${command}:${size}:${md5}`;
	return createHmac("sha256", md5Hex(password)).update(message).digest("hex");
}

/** Devices keep a password as the MD5 of its UTF-8 bytes. */
function md5Hex(text: string): string {
	return createHash("md5").update(text).digest("hex");
}
