import Listener from "embedded:io/socket/listener";
import type TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import { ServedSocket } from "./served-socket";
import { BoundedSocket } from "./socket";

/** Clients at a time: each may fill lwIP's window of 5,840 bytes, and takes some 150 slots of the engine. */
const CONNECTIONS_MAX = 3;
/** While one of them updates, which takes memory of its own. */
const CONNECTIONS_MAX_PINNED = 2;
/** Milliseconds. */
const TICK = 1000;

/** What handlers of ours and the server read. Others are dropped: a browser sends a dozen. */
const headers = Object.freeze([
	"authorization",
	"content-length",
	"content-type",
	"host",
	"origin",
	"sec-fetch-site",
	"transfer-encoding",
	"x-md5",
]);

type ListenerOptions = ConstructorParameters<typeof Listener>[0];

/**
 * The `io` of an HTTP server of the SDK that strangers may reach: `new HTTPServer({ io: BoundedListener, … })`.
 * Heads have a limit, slow clients are given up, and there are few connections at a time, of which the least
 * needed one makes room for a new one. The server is told of those whose head is complete.
 */
export class BoundedListener extends Listener {
	/** A write of nothing. */
	readonly nothing = new Uint8Array(0);
	private readonly onConnection: ListenerOptions["onReadable"];
	private readonly open: BoundedSocket[] = [];
	/** For the server's next `read`. */
	private ready: BoundedSocket | undefined;
	private timer: Timer | undefined;

	constructor(options: ListenerOptions) {
		super({
			...options,
			onReadable(this: Listener, count) {
				for (let i = 0; i < count; i++) (this as BoundedListener).accept();
			},
		});
		this.onConnection = options.onReadable;
	}

	/** Names of the headers that reach the handlers, in lower case. A subclass may add its own. */
	get headers(): readonly string[] {
		return headers;
	}

	/** Milliseconds of a tick, in which the limits of time are counted. */
	get tick(): number {
		return TICK;
	}

	/** The connection that the server has just been told of. */
	override read(): TCP | undefined {
		const ready = this.ready;
		this.ready = undefined;
		return ready && (new ServedSocket({ from: ready }) as unknown as TCP);
	}

	/** Stops listening and ends every connection, of which the SDK's server is not told: it would throw. */
	close(): void {
		while (this.open.length > 0) this.open[0]?.abandon();
		(Listener.prototype as unknown as { close(): void }).close.call(this);
	}

	/** The head of a request is complete. */
	offer(socket: BoundedSocket): void {
		this.ready = socket;
		this.onConnection?.call(this, 1);
	}

	/** A connection has ended. */
	remove(socket: BoundedSocket): void {
		const at = this.open.indexOf(socket);
		if (at >= 0) this.open.splice(at, 1);
		if (this.open.length > 0) return;
		Timer.clear(this.timer);
		this.timer = undefined;
	}

	/** Ends connections until there is room for `count` more: first the oldest of those that are needed least. */
	makeRoom(count: number): void {
		const most = this.open.some((one) => one.pinned) ? CONNECTIONS_MAX_PINNED : CONNECTIONS_MAX;
		while (this.open.length > most - count) {
			let least: BoundedSocket | undefined;
			for (const one of this.open) if (one.dispensable > (least?.dispensable ?? 0)) least = one;
			if (!least) return;
			least.ended();
		}
	}

	private accept(): void {
		const tcp = super.read();
		if (!tcp) return;
		this.makeRoom(1);
		if (this.open.length >= CONNECTIONS_MAX) {
			tcp.close();
			return;
		}
		try {
			this.open.push(new BoundedSocket(tcp, this));
		} catch {
			// Lost already.
			tcp.close();
			return;
		}
		this.timer ??= Timer.repeat(() => {
			for (const one of [...this.open]) one.tick();
		}, this.tick);
	}
}
