/**
 * `embedded:io/socket/tcp/tls` as the SDK's (examples/io/tcp/tlssocket), on node:tls over the TCP that is handed
 * in. A server's certificates are looked at as the options mean it, not as the SDK's code does it.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { connect, type DetailedPeerCertificate, type TLSSocket as NodeTLS } from "node:tls";
import { bytesOf, toArrayBuffer } from "./bytes";
import type TCP from "./tcp";
import Timer from "./timer";

/** What the SDK keeps back of the writable count for a record. */
const RECORD_ESTIMATE = 96;
/** And of what is left after one was written. */
const RECORD_RESERVE = 32;
/** Of a record in AES-GCM: its header, the nonce, the tag. */
const RECORD_FRAME = 5 + 8 + 16;
/** The SDK's suites, in its order. */
const CIPHERS = [
	"AES128-SHA",
	"AES256-SHA",
	"AES128-SHA256",
	"AES256-SHA256",
	"DHE-RSA-AES128-SHA256",
	"DHE-RSA-AES256-SHA256",
	"DHE-RSA-AES128-GCM-SHA256",
	"ECDHE-RSA-AES128-SHA256",
	"ECDHE-RSA-AES128-GCM-SHA256",
	"ECDHE-ECDSA-AES128-GCM-SHA256",
].join(":");

interface SecureOptions {
	serverName?: string;
	/** In DER. */
	certificate?: ByteBuffer;
	verify?: boolean;
	applicationLayerProtocolNegotiation?: string | readonly string[];
}

interface Callbacks {
	onReadable?: ((bytes: number) => void) | undefined;
	onWritable?: ((bytes: number) => void) | undefined;
	onError?: (() => void) | undefined;
}

interface Options extends Callbacks {
	TCP: { io: new (options: object) => TCP };
	host?: string;
	secure?: SecureOptions;
}

/** A TCP as node:tls wants it. */
class Carrier extends Duplex {
	readonly tcp: TCP;
	/** Bytes that may be written to it. */
	room = 0;
	#waiting: { bytes: Uint8Array; done: (error?: Error) => void } | undefined;

	constructor(tcp: TCP) {
		super();
		this.tcp = tcp;
	}

	/** Whether something of it waits to be sent. */
	get busy(): boolean {
		return this.#waiting !== undefined;
	}

	/** So many bytes may be written now. */
	flush(room: number): void {
		this.room = room;
		const waiting = this.#waiting;
		if (!waiting || room === 0) return;
		this.#waiting = undefined;
		this.#send(waiting.bytes, waiting.done);
	}

	override _read(): void {
		// Bytes are pushed when they come.
	}

	override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
		this.#send(bytes, done);
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.tcp.close();
		done(error);
	}

	#send(bytes: Uint8Array, done: (error?: Error) => void): void {
		const part = bytes.subarray(0, this.room);
		try {
			if (part.length > 0) this.room = this.tcp.write(part) ?? 0;
		} catch {
			// The connection is lost, as the TCP tells too.
		}
		if (part.length === bytes.length) done();
		else this.#waiting = { bytes: bytes.subarray(part.length), done };
	}
}

export default class TLSSocket {
	#format = "buffer";
	readonly #callbacks: Callbacks;
	readonly #serverName: string | undefined;
	/** Another root; undefined where none is given. */
	readonly #root: X509Certificate | undefined;
	readonly #verify: boolean;
	/** Undefined once closed. */
	#carrier: Carrier | undefined;
	readonly #tls: NodeTLS;
	#handshaken = false;
	/** The server's certificates are right too. */
	#ready = false;
	/** Bytes that wait in the TCP, and those that may be written to it: what was written leaves in its own time. */
	#waiting = 0;
	#writable = 0;
	/** Decrypted; of the first one the application has been told, and read so many bytes. */
	readonly #records: Uint8Array[] = [];
	#told = false;
	#position = 0;
	#ended = false;
	#timer: ReturnType<typeof Timer.set> | undefined;

	/** Throws where the certificate that is given is not valid at this time. */
	constructor(options: Options) {
		const { onReadable, onWritable, onError, host, secure = {} } = options;
		this.#callbacks = { onReadable, onWritable, onError };
		const { serverName = host, certificate, verify = true } = secure;
		this.#serverName = serverName?.toLowerCase();
		this.#verify = verify;
		if (certificate) this.#root = new X509Certificate(bytesOf(certificate));
		if (verify && this.#root && !isCurrent(this.#root)) throw new Error("date validation failed");
		const tcp = new options.TCP.io({
			...options,
			onReadable: (bytes: number) => this.#onReadable(bytes),
			onWritable: (bytes: number) => this.#onWritable(bytes),
			onError: () => this.#end(),
		});
		const carrier = new Carrier(tcp);
		this.#carrier = carrier;
		const protocols = secure.applicationLayerProtocolNegotiation;
		this.#tls = connect({
			socket: carrier,
			minVersion: "TLSv1.2",
			maxVersion: "TLSv1.2",
			ciphers: CIPHERS,
			ecdhCurve: "prime256v1",
			sigalgs: "ECDSA+SHA256:RSA+SHA256",
			rejectUnauthorized: false,
			...(serverName && isIP(serverName) === 0 && { servername: serverName }),
			...(protocols && { ALPNProtocols: [protocols].flat() }),
		});
		// What goes wrong shows after each part that it is given.
		this.#tls.on("error", () => {});
		this.#tls.on("secureConnect", () => {
			this.#handshaken = true;
		});
		this.#tls.on("end", () => this.#end());
		this.#tls.on("data", (bytes: Uint8Array) => void this.#records.push(bytes));
	}

	get format(): string {
		return this.#format;
	}

	set format(value: string) {
		if (value !== "buffer" && value !== "number") throw new RangeError("unknown format");
		this.#format = value;
	}

	/** All of the record, so many bytes of it, or as many as a view has; in format "number" one byte. */
	read(wanted?: unknown): ArrayBuffer | number | undefined {
		const record = this.#told ? this.#records[0] : undefined;
		if (!record) return undefined;
		const rest = record.subarray(this.#position);
		let result: ArrayBuffer | number | undefined;
		let length = rest.length;
		if (this.#format === "number") {
			result = rest[0];
			length = 1;
		} else if (typeof wanted === "object" && wanted !== null) {
			length = Math.min(bytesOf(wanted).length, length);
			// The SDK looks for the bytes of an ArrayBuffer in its `buffer`, and finds none.
			const target = ArrayBuffer.isView(wanted) ? bytesOf(wanted) : new Uint8Array(0);
			target.set(rest.subarray(0, length));
			result = length;
		} else {
			if (wanted !== undefined) length = Number(wanted);
			if (length > rest.length) throw new Error("invalid");
			result = toArrayBuffer(rest.subarray(0, length));
		}
		this.#position += length;
		if (this.#position === record.length) this.#consumed();
		return result;
	}

	/** What is still writable. Before the handshake is done, where the SDK sends it unencrypted, it throws. */
	write(data: unknown): number {
		if (!this.#carrier) throw new TypeError("closed");
		if (!this.#ready) throw new Error("not ready");
		const bytes = bytesOf(data).slice();
		if (bytes.length + RECORD_FRAME > this.#writable) throw new Error("would block");
		this.#writable -= bytes.length + RECORD_FRAME;
		this.#tls.write(bytes);
		return Math.max(0, this.#writable - RECORD_RESERVE);
	}

	close(): void {
		Timer.clear(this.#timer);
		this.#carrier?.tcp.close();
		this.#carrier = undefined;
		this.#tls.destroy();
	}

	#onReadable(count: number): void {
		this.#waiting = count;
		if (this.#records.length === 0) this.#decrypt();
	}

	#onWritable(count: number): void {
		const carrier = this.#carrier;
		if (!carrier) return;
		carrier.flush(count);
		if (carrier.busy || this.#tls.writableLength > 0) return;
		this.#writable = carrier.room;
		if (this.#ready && this.#writable > RECORD_ESTIMATE)
			this.#callbacks.onWritable?.(this.#writable - RECORD_ESTIMATE);
	}

	/** Gives node:tls what waits. Throws where the server is not what it should be, from the TCP's onReadable. */
	#decrypt(): void {
		const carrier = this.#carrier;
		const bytes = carrier?.tcp.read();
		if (!carrier || !(bytes instanceof ArrayBuffer)) return;
		this.#waiting = 0;
		carrier.push(new Uint8Array(bytes));
		if (this.#tls.errored) throw new Error(`TLS: ${this.#tls.errored.message}`);
		if (!this.#ready && this.#handshaken) {
			if (this.#verify && !this.#isTrusted()) throw new Error("TLS: certificate: auth err");
			this.#ready = true;
			this.#onWritable(carrier.room);
		}
		this.#tell();
	}

	/** Tells of the next record. */
	#tell(): void {
		const [record] = this.#records;
		if (this.#told || !record || !this.#carrier) return;
		this.#told = true;
		this.#position = 0;
		this.#callbacks.onReadable?.(record.length);
	}

	#consumed(): void {
		this.#records.shift();
		this.#told = false;
		this.#timer ??= Timer.set(() => {
			this.#timer = undefined;
			if (this.#records.length > 0) this.#tell();
			else if (this.#waiting > 0) this.#decrypt();
			else if (this.#ended) this.#tellEnd();
		});
	}

	/** After all that came before has been read. */
	#end(): void {
		if (this.#ended) return;
		this.#ended = true;
		if (this.#records.length === 0) this.#tellEnd();
	}

	#tellEnd(): void {
		if (this.#carrier) this.#callbacks.onError?.();
	}

	/**
	 * Whether the server's certificates lead to the root that was given, all of them valid now, and the first one
	 * has the server's name. One alone never does: the SDK looks for names only where another one follows.
	 */
	#isTrusted(): boolean {
		const chain = chainOf(this.#tls.getPeerCertificate(true));
		const [first] = chain;
		const last = chain.at(-1);
		if (!first || !last || chain.length < 2 || !this.#root || !this.#serverName) return false;
		if (!chain.every(isCurrent) || !last.verify(this.#root.publicKey)) return false;
		for (const [i, { publicKey }] of chain.slice(1).entries()) if (!chain[i]?.verify(publicKey)) return false;
		return hasName(first, this.#serverName);
	}
}

/** As the server sent them. */
function chainOf(peer: DetailedPeerCertificate): X509Certificate[] {
	const chain: X509Certificate[] = [];
	for (let next: DetailedPeerCertificate | undefined = peer; next?.raw; next = next.issuerCertificate) {
		const certificate = new X509Certificate(next.raw);
		if (chain.at(-1)?.fingerprint256 === certificate.fingerprint256) break;
		chain.push(certificate);
	}
	return chain;
}

function isCurrent({ validFrom, validTo }: X509Certificate): boolean {
	const now = Date.now();
	return Date.parse(validFrom) < now && now < Date.parse(validTo);
}

/** By its subjectAltName: DNS names, one star in front for one part, and IPv4 addresses. The common name does not count. */
function hasName({ subjectAltName = "" }: X509Certificate, name: string): boolean {
	return subjectAltName.split(", ").some((alternative) => {
		const [kind, value = ""] = alternative.toLowerCase().split(":");
		if (kind === "ip address") return value === name;
		if (kind !== "dns") return false;
		if (!value.startsWith("*")) return value === name;
		const dot = name.indexOf(".");
		return !value.includes("*", 1) && dot >= 0 && value.slice(1) === name.slice(dot);
	});
}
