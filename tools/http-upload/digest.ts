/** Proves a password without sending it: Digest (RFC 7616) with SHA-256 or MD5 and qop=auth. */
import { createHash } from "node:crypto";
import type { Challenge } from "./challenge";

/** Hash by the name that challenges have for it, the strongest first. */
const HASHES = { "sha-256": "sha256", md5: "md5" } as const;

export interface DigestChallenge {
	hash: "sha256" | "md5";
	realm: string;
	nonce: string;
	/** As the server wrote it, which wants it back so; undefined where it left the name out and means MD5. */
	algorithm: string | undefined;
	/** To be sent back as it came. */
	opaque: string | undefined;
	/** False: as RFC 2069 had it, which knew no qop. */
	qop: boolean;
	/** The nonce was too old, the password right. */
	stale: boolean;
}

export interface DigestProof {
	challenge: DigestChallenge;
	user: string;
	password: string;
	method: string;
	/** Path and query, as the request line has them. */
	target: string;
	/** How often this nonce was used, this time included. */
	count: number;
	/** The client's own nonce, fresh for each request. */
	cnonce: string;
}

/** The challenge, where it is one that can be met; undefined for another scheme, algorithm or qop. */
export function digestChallenge({ scheme, params }: Challenge): DigestChallenge | undefined {
	const realm = params.get("realm");
	const nonce = params.get("nonce");
	if (scheme !== "digest" || realm === undefined || nonce === undefined) return undefined;
	const algorithm = params.get("algorithm");
	const name = (algorithm ?? "MD5").toLowerCase();
	if (name !== "sha-256" && name !== "md5") return undefined;
	const qop = params.get("qop");
	if (qop !== undefined && !/(^|[,\s])auth([,\s]|$)/i.test(qop)) return undefined;
	return {
		hash: HASHES[name],
		realm,
		nonce,
		algorithm,
		opaque: params.get("opaque"),
		qop: qop !== undefined,
		stale: params.get("stale")?.toLowerCase() === "true",
	};
}

/** The value of the Authorization header. */
export function digestAuthorization(proof: DigestProof): string {
	const { challenge, user, method, target, cnonce } = proof;
	const { hash, realm, nonce, algorithm, opaque, qop } = challenge;
	const digest = (text: string): string => createHash(hash).update(text).digest("hex");
	const secret = digest(`${user}:${realm}:${proof.password}`);
	const request = digest(`${method}:${target}`);
	const count = proof.count.toString(16).padStart(8, "0");
	const bound = qop ? `${nonce}:${count}:${cnonce}:auth` : nonce;
	// The Arduino core searches for `nonce="` and for `nc=` up to a comma: nonce before cnonce, nc not last.
	const fields = [
		`username=${quoted(user)}`,
		`realm=${quoted(realm)}`,
		`nonce=${quoted(nonce)}`,
		`uri=${quoted(target)}`,
	];
	if (algorithm !== undefined) fields.push(`algorithm=${algorithm}`);
	if (qop) fields.push("qop=auth", `nc=${count}`, `cnonce=${quoted(cnonce)}`);
	fields.push(`response="${digest(`${secret}:${bound}:${request}`)}"`);
	if (opaque !== undefined) fields.push(`opaque=${quoted(opaque)}`);
	return `Digest ${fields.join(", ")}`;
}

/** Letters beyond ASCII go as their UTF-8 bytes, each of which Node takes as a character of a header. */
function quoted(text: string): string {
	return `"${Buffer.from(text.replace(/["\\]/g, "\\$&")).toString("latin1")}"`;
}
