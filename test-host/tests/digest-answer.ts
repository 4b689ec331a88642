/** An HTTP client's answer to a Digest challenge (RFC 7616), by Node's crypto. */
import { createHash } from "node:crypto";

export interface AnswerOptions {
	user?: string;
	password?: string;
	realm?: string;
	algorithm?: "MD5" | "SHA-256";
	/** A number, or the digits as they are. */
	count?: number | string;
	method?: string;
	target?: string;
	nonce?: string;
}

/** An Authorization header as curl writes it, a character for each byte. */
export function digestAnswer(options: AnswerOptions): string {
	const { user = "admin", password = "open sesame", realm = "ota8266", algorithm = "SHA-256" } = options;
	const { count = 1, method = "GET", target = "/update", nonce = "" } = options;
	const cnonce = "0a4f113b";
	const nc = typeof count === "string" ? count : count.toString(16).padStart(8, "0");
	const name = algorithm === "MD5" ? "md5" : "sha256";
	const hash = (text: string) => createHash(name).update(text).digest("hex");
	const secret = hash(`${user}:${realm}:${password}`);
	const response = hash(`${secret}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${target}`)}`);
	const quoted = Buffer.from(user.replace(/["\\]/g, "\\$&")).toString("latin1");
	return (
		`Digest username="${quoted}", realm="${realm}", nonce="${nonce}", uri="${target}", cnonce="${cnonce}", ` +
		`nc=${nc}, qop=auth, response="${response}", algorithm=${algorithm}`
	);
}
