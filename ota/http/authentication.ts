/**
 * Who may update through HTTP: Digest (RFC 7616, `qop=auth`, SHA-256 or MD5), by which the password does not
 * cross the air, and Basic (RFC 7617), which scripts send unasked, where the owner allows it.
 *
 * A nonce is `<number, 8 digits><second of its making, 8 digits><HMAC of both, 32 digits>`: nothing has to be
 * kept of those that strangers ask for. Of nonces that have proved the password the counts are kept, since each
 * counts once: what was heard in the air cannot be sent again.
 */
import { delayAfter, digestOf, equalsConstantTime, hmacSHA256 } from "../authentication";
import { toBase64 } from "../base64";
import type { Board } from "../board";
import { toHex } from "../hex";
import { parameter } from "./parameter";

const SECRET_LENGTH = 32;
const NUMBER_LENGTH = 8;
const STAMP_LENGTH = 2 * NUMBER_LENGTH;
const MAC_LENGTH = 32;
/** Seconds that a nonce is good for. */
const LIFETIME = 300;
/** Nonces in use at a time, one for each client. */
const USED_MAX = 4;
/** Counts that may come out of order. */
const COUNT_WINDOW = 32;
/** Addresses whose wrong answer is paid for at a time. */
const GUESSERS_MAX = 4;

export interface HTTPAuthenticationOptions {
	board: Board;
	user: string;
	password: string;
	realm: string;
	/** Takes the password in clear, too. */
	basic: boolean;
}

/** `none`: no credentials. `stale`: right ones for a nonce that does not count any more. `wrong`: all others. */
export type Verdict = "granted" | "none" | "stale" | "wrong";

/** A nonce that has proved the password. */
interface Used {
	number: number;
	/** The highest count so far, and which of those below it have come: a bit for each. */
	count: number;
	seen: number;
}

/** An address that has sent wrong credentials, when (ms), and for how long that is paid for. */
interface Guesser {
	peer: string;
	start: number;
	delay: number;
}

export class HTTPAuthentication {
	private readonly board: Board;
	/** As the server reads it: a character for each byte of UTF-8. */
	private readonly user: string;
	private readonly realm: string;
	private readonly allowsBasic: boolean;
	/** Digests of user, realm and password: the password itself is not kept. */
	private readonly md5: string;
	private readonly sha256: string;
	private readonly basic: string;
	private readonly secret: string;
	private issued = 0;
	/** Nonces up to this number are stale. */
	private floor = 0;
	private used: Used[] = [];
	private failures = 0;
	private guessers: Guesser[] = [];

	/** Throws RangeError where clients would not agree on what the realm is. */
	constructor({ board, user, password, realm, basic }: HTTPAuthenticationOptions) {
		if (!isPlain(realm)) throw new RangeError("realm: ASCII without quotes and backslashes wanted");
		this.board = board;
		this.user = bytesOf(user);
		this.realm = realm;
		this.allowsBasic = basic;
		const random = new Uint8Array(SECRET_LENGTH);
		board.random(random);
		this.secret = toHex(random.buffer);
		this.md5 = digestOf("MD5", `${user}:${realm}:${password}`);
		this.sha256 = digestOf("SHA256", `${user}:${realm}:${password}`);
		this.basic = digestOf("SHA256", toBase64(`${user}:${password}`));
	}

	/** Milliseconds that the answer to wrong credentials has to wait: grows with each failure in a row. */
	get delay(): number {
		return delayAfter(this.failures);
	}

	/**
	 * Judges an Authorization header. `target`: as in the request line. While an address waits for the answer to
	 * wrong ones, no others of its are judged: who does not wait would guess as fast as the network.
	 */
	check(header: string | undefined, method: string, target: string, peer: string): Verdict {
		if (header && this.pays(peer)) return "wrong";
		const scheme = header?.slice(0, header.indexOf(" ")).toLowerCase();
		let verdict: Verdict = "none";
		if (header && scheme === "digest") verdict = this.checkDigest(header, method, target);
		else if (header && scheme === "basic" && this.allowsBasic) {
			const given = digestOf("SHA256", header.slice("basic ".length).trim());
			verdict = equalsConstantTime(given, this.basic) ? "granted" : "wrong";
		}
		if (verdict === "granted") this.failures = 0;
		else if (verdict === "wrong") {
			this.failures += 1;
			this.guessers.push({ peer, start: this.board.uptime, delay: this.delay });
			if (this.guessers.length > GUESSERS_MAX) this.guessers.shift();
		}
		return verdict;
	}

	private pays(peer: string): boolean {
		const now = this.board.uptime;
		this.guessers = this.guessers.filter(({ start, delay }) => now >= start && now - start < delay);
		return this.guessers.some((one) => one.peer === peer);
	}

	/** Header lines that ask for credentials, without the last line's end. The first one is the best. */
	challenge(stale: boolean): string {
		const nonce = this.nonce();
		let lines = "";
		for (const algorithm of ["SHA-256", "MD5"]) {
			lines += `www-authenticate: Digest realm="${this.realm}", qop="auth", algorithm=${algorithm}, nonce="${nonce}"`;
			lines += stale ? ", stale=true\r\n" : "\r\n";
		}
		return this.allowsBasic ? `${lines}www-authenticate: Basic realm="${this.realm}"` : lines.slice(0, -2);
	}

	private checkDigest(header: string, method: string, target: string): Verdict {
		const nonce = parameter(header, "nonce") ?? "";
		const nc = parameter(header, "nc") ?? "";
		const cnonce = parameter(header, "cnonce") ?? "";
		const uri = parameter(header, "uri");
		const algorithm = parameter(header, "algorithm")?.toLowerCase() ?? "md5";
		const strong = algorithm === "sha-256";
		if (!strong && algorithm !== "md5") return "none";
		if (parameter(header, "qop") !== "auth" || uri !== target || parameter(header, "realm") !== this.realm) {
			return "wrong";
		}
		const kind = strong ? "SHA256" : "MD5";
		const request = digestOf(kind, `${method}:${uri}`);
		const expected = digestOf(
			kind,
			`${strong ? this.sha256 : this.md5}:${nonce}:${nc}:${cnonce}:auth:${request}`,
		);
		const isRight = equalsConstantTime(expected, (parameter(header, "response") ?? "").toLowerCase());
		if (!isRight || parameter(header, "username") !== this.user) return "wrong";
		return this.counts(nonce, nc) ? "granted" : "stale";
	}

	private nonce(): string {
		this.issued += 1;
		const stamp = hexNumber(this.issued) + hexNumber(Math.floor(this.board.uptime / 1000));
		return stamp + this.mac(stamp);
	}

	private mac(stamp: string): string {
		return hmacSHA256(this.secret, stamp).slice(0, MAC_LENGTH);
	}

	/** Whether the nonce is one of ours and still good, and this count of it is new. */
	private counts(nonce: string, nc: string): boolean {
		const stamp = nonce.slice(0, STAMP_LENGTH);
		const count = Number.parseInt(nc, 16);
		if (!(count > 0) || !equalsConstantTime(this.mac(stamp), nonce.slice(STAMP_LENGTH))) return false;
		const number = Number.parseInt(stamp.slice(0, NUMBER_LENGTH), 16);
		const age = Math.floor(this.board.uptime / 1000) - Number.parseInt(stamp.slice(NUMBER_LENGTH), 16);
		if (age < 0 || age > LIFETIME) return false;
		let used = this.used.find((one) => one.number === number);
		if (!used) {
			if (number <= this.floor) return false;
			used = { number, count: 0, seen: 0 };
			this.used.push(used);
			if (this.used.length > USED_MAX) this.retire();
		}
		return isNew(used, count);
	}

	/** The oldest of those in use, and all that are older, are stale from now on. */
	private retire(): void {
		let oldest = this.used[0];
		for (const one of this.used) if (oldest && one.number < oldest.number) oldest = one;
		this.floor = oldest?.number ?? this.floor;
		this.used = this.used.filter((one) => one !== oldest);
	}
}

/** Whether a count has not come yet, which it then has. */
function isNew(used: Used, count: number): boolean {
	const ahead = count - used.count;
	if (ahead > 0) {
		used.seen = ahead < COUNT_WINDOW ? (used.seen << ahead) | 1 : 1;
		used.count = count;
		return true;
	}
	const bit = -ahead < COUNT_WINDOW ? 1 << -ahead : 0;
	if (bit === 0 || (used.seen & bit) !== 0) return false;
	used.seen |= bit;
	return true;
}

function bytesOf(text: string): string {
	let bytes = "";
	for (const byte of new Uint8Array(ArrayBuffer.fromString(text))) bytes += String.fromCharCode(byte);
	return bytes;
}

function isPlain(text: string): boolean {
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 32 || code > 126 || code === 34 || code === 92) return false;
	}
	return true;
}

function hexNumber(value: number): string {
	return (value >>> 0).toString(16).padStart(NUMBER_LENGTH, "0");
}
