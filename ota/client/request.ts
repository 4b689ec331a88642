/** One GET by the SDK's HTTP client: its answer's head, and its body as it comes. */
import type HTTPClient from "embedded:network/http/client";
import Timer from "timer";
import { ErrorCode, UpdateError } from "../errors";
import { NOT_IMPLEMENTED } from "../http/head-reader";
import { ClientSocket, type SocketOwner } from "./socket";
import { type Address, authorityOf, nameOf } from "./url";

/** Bytes of the body, in each time limit. */
const BODY_STEP = 4096;

/** The SDK's modules, as the application has them. */
export interface HTTPModules {
	/** `embedded:network/http/client`. */
	io: typeof HTTPClient;
	/** `{ io: Resolver, servers, socket: { io: UDP } }`, of `embedded:network/dns/resolver/udp`. */
	dns: { io: unknown; [option: string]: unknown };
	/** `{ io: TCP }`, of `embedded:io/socket/tcp`. */
	socket: { io: unknown; [option: string]: unknown };
	/** `{ io: TLSSocket, TCP: { io: TCP }, secure: { certificate … } }`: without it https is refused. */
	tls?: { io: unknown; [option: string]: unknown } | undefined;
}

/** Who asked. */
export interface RequestOwner {
	/** The answer has begun. */
	answered(status: number, headers: Map<string, string>): void;
	/** `count` bytes of the body wait. */
	readable(count: number): void;
	/** Once: all has come, or it failed: HTTP_CONNECT, HTTP_LOST, NO_HTTP_SERVER, HTTP_ENCODING, HTTP_TIMEOUT. */
	over(error: UpdateError | undefined): void;
}

interface RequestOptions {
	http: HTTPModules;
	owner: RequestOwner;
	address: Address;
	/** Header lines behind the user agent's, without the last line's end. */
	headers: string;
	/** Milliseconds for the head, and for each 4,096 bytes of the body. */
	timeout: number;
}

interface Resolver {
	resolve(options: {
		host: string;
		onResolved(host: string, address: string): void;
		onError(host: string): void;
	}): void;
}

/**
 * Looks up the name in a Host header's value, which the SDK's client takes for the name. A client that was closed
 * meanwhile would connect all the same.
 */
class Names implements Resolver {
	private readonly resolver: Resolver;
	private readonly owner: HTTPGet;

	constructor({ dns, owner }: { dns: HTTPModules["dns"]; owner: HTTPGet }) {
		this.resolver = new (dns.io as new (options: unknown) => Resolver)(dns);
		this.owner = owner;
	}

	resolve({ host, onResolved, onError }: Parameters<Resolver["resolve"]>[0]): void {
		this.resolver.resolve({
			host: nameOf(host),
			onResolved: (_host, address) => {
				if (!this.owner.ended) onResolved(host, address);
			},
			onError: () => {
				if (!this.owner.ended) onError(host);
			},
		});
	}
}

/** The SDK's request, with the one that it belongs to. */
type Owned = ReturnType<HTTPClient["request"]> & { owner: HTTPGet };

/** Shared by all requests: none has closures of its own. */
const handlers = Object.freeze({
	onHeaders(this: unknown, status: number, headers: Map<string, string>): void {
		(this as Owned).owner.answered(status, headers);
	},
	onReadable(this: unknown, count: number): void {
		(this as Owned).owner.readable(count);
	},
	onDone(this: unknown): void {
		(this as Owned).owner.end();
	},
});

export class HTTPGet implements SocketOwner {
	/** Nothing comes of it any more. */
	ended = false;
	private readonly owner: RequestOwner;
	private readonly timeout: number;
	private readonly client: HTTPClient;
	private readonly request: Owned;
	private readonly headers: Map<string, string>;
	private limit: Timer | undefined;
	private progress = 0;
	/** The answer has begun. */
	private begun = false;
	private completed = false;
	private error: UpdateError | undefined;

	/** Throws UpdateError BAD_URL where https is asked for without its module. */
	constructor({ http, owner, address, headers, timeout }: RequestOptions) {
		const transport = address.secure ? http.tls : http.socket;
		if (!transport) throw new UpdateError(ErrorCode.BAD_URL, "https needs the option tls");
		this.owner = owner;
		this.timeout = timeout;
		const client = {
			host: authorityOf(address),
			port: address.port,
			dns: { io: Names, dns: http.dns, owner: this },
			socket: { io: ClientSocket, transport, owner: this },
			onError: () => this.end(),
		};
		this.client = new http.io(client as unknown as ConstructorParameters<typeof HTTPClient>[0]);
		// One header to the client, one packet to lwIP, which queues eight.
		this.headers = new Map([["user-agent", `ESP8266-http-Update\r\n${headers}`]]);
		this.request = this.client.request({ path: address.path, headers: this.headers, ...handlers }) as Owned;
		this.request.owner = this;
		this.limit = Timer.set(() => this.expire(), timeout);
	}

	answered(status: number, headers: Map<string, string>): void {
		this.begun = true;
		// They are sent, and the update takes their memory.
		this.headers.clear();
		this.owner.answered(status, headers);
	}

	readable(count: number): void {
		this.owner.readable(count);
	}

	/** Fills `into`, which is no larger than what waits: false where the connection has ended. */
	read(into: Uint8Array): boolean {
		if (this.ended || this.request.read(into) === undefined) return false;
		this.progress += into.length;
		if (this.progress < BODY_STEP || this.limit === undefined) return true;
		this.progress = 0;
		Timer.schedule(this.limit, this.timeout);
		return true;
	}

	/** Ends it, without onEnd. */
	close(): void {
		if (this.ended) return;
		this.ended = true;
		Timer.clear(this.limit);
		this.limit = undefined;
		this.client.close();
	}

	/** Waits no longer for what the server sends, as long as the application keeps it waiting. */
	pause(): void {
		if (this.limit !== undefined) Timer.schedule(this.limit);
	}

	/** Waits again. */
	resume(): void {
		if (this.limit !== undefined) Timer.schedule(this.limit, this.timeout);
	}

	malformed(status: number): void {
		this.error = new UpdateError(
			status === NOT_IMPLEMENTED ? ErrorCode.HTTP_ENCODING : ErrorCode.NO_HTTP_SERVER,
		);
	}

	complete(): void {
		this.completed = true;
	}

	private expire(): void {
		this.limit = undefined;
		this.error = new UpdateError(ErrorCode.HTTP_TIMEOUT);
		this.end();
	}

	/** The SDK's client has done with it. */
	end(): void {
		if (this.ended) return;
		this.close();
		const lost = this.begun ? ErrorCode.HTTP_LOST : ErrorCode.HTTP_CONNECT;
		this.owner.over(this.error ?? (this.completed ? undefined : new UpdateError(lost)));
	}
}
