/** A TCP connection over the air, from one of its ends. */
import type { Host } from "./host";
import { Receiver } from "./tcp-receiver";
import { Sender } from "./tcp-sender";

/** Between two questions for a connection that were not answered: Linux's and lwIP's are alike here. */
const CONNECT_RETRY = 1_000_000;

export class TcpEnd {
	/** The connection stands. */
	onConnected: () => void = () => {};
	/** The peer has aborted it. */
	onReset: () => void = () => {};
	readonly sender: Sender;
	readonly receiver: Receiver;
	readonly #host: Host;
	readonly #peerHost: Host;
	#peer: TcpEnd | undefined;
	#connected = false;
	#closed = false;

	constructor(host: Host, peerHost: Host) {
		this.#host = host;
		this.#peerHost = peerHost;
		this.sender = new Sender(host, peerHost.tcp.window, (offset, bytes, end) => {
			this.receiver.acknowledged();
			const { next, edge } = this.receiver;
			this.#toPeer(bytes.length, (peer) => peer.#take(offset, bytes, end, next, edge));
		});
		this.receiver = new Receiver(host, () => {
			this.receiver.acknowledged();
			const { next, edge } = this.receiver;
			this.#toPeer(0, (peer) => peer.#take(0, new Uint8Array(0), false, next, edge, true));
		});
	}

	get connected(): boolean {
		return this.#connected;
	}

	/** Connects to one that `accept` makes at the other end, when it is first asked. */
	connect(accept: () => TcpEnd): void {
		if (this.#connected || this.#closed) return;
		this.#host.send(0, this.#peerHost, () => {
			this.#peer ??= accept();
			this.#peer.#asked(this);
		});
		this.#host.after(CONNECT_RETRY, () => this.connect(accept));
	}

	/** Aborts the connection: the peer gets a reset. Idempotent. */
	reset(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.sender.stop();
		this.receiver.acknowledged();
		this.#toPeer(0, (peer) => {
			if (peer.#closed) return;
			peer.#closed = true;
			peer.sender.stop();
			peer.onReset();
		});
	}

	#toPeer(bytes: number, arrive: (peer: TcpEnd) => void): void {
		this.#host.send(bytes, this.#peerHost, () => this.#peer && arrive(this.#peer));
	}

	/** A connection is asked for, again perhaps: the answer, or what followed it, may have been lost. */
	#asked(peer: TcpEnd): void {
		this.#peer = peer;
		this.#toPeer(0, (asking) => {
			if (asking.#closed) return;
			asking.#stand();
			asking.#toPeer(0, (asked) => asked.#stand());
		});
	}

	#stand(): void {
		if (this.#connected) return;
		this.#connected = true;
		this.onConnected();
	}

	#take(offset: number, bytes: Uint8Array, end: boolean, next: number, edge: number, pure = false): void {
		if (this.#closed) return;
		this.#stand();
		this.sender.acknowledged(next, edge, pure);
		if (!pure) this.receiver.take(offset, bytes, end);
	}
}
