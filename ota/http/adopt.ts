import TCP from "embedded:io/socket/tcp";

/** Who is told of what happens to an adopted connection. */
export interface Holder {
	/** `count` bytes wait. */
	arrived(count: number): void;
	/** The network has taken some of what was written; `count` bytes may be. */
	taken(count: number): void;
	/** The connection has failed, or the peer has closed it. */
	ended(): void;
}

/** The SDK's typings leave out that an instance has the `target` of its options. */
type Held = TCP & { target: Holder };

/** Shared by all connections: none has closures of its own. */
const callbacks = Object.freeze({
	onReadable(this: TCP, count: number): void {
		(this as Held).target.arrived(count);
	},
	onWritable(this: TCP, count: number): void {
		(this as Held).target.taken(count);
	},
	onError(this: TCP): void {
		(this as Held).target.ended();
	},
});

/** The connection of `from`, which it takes over. Throws where that is lost. */
export function adopt(from: TCP, holder: Holder): TCP {
	const options = { from, nodelay: true, target: holder, ...callbacks };
	return new TCP(options);
}
