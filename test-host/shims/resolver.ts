/** `embedded:network/dns/resolver/udp` as the SDK's (examples/io/udp/dns) answers, from this machine's resolver. */
import { lookup } from "node:dns";
import Timer from "./timer";

type Answer = (this: Resolver, ...told: string[]) => void;

interface Request {
	host: string;
	onResolved?: Answer | undefined;
	onError?: Answer | undefined;
}

/** As the SDK sees it: 999 counts as a part, and so does " 1". */
function isAddress(host: string): boolean {
	const parts = host.split(".");
	// biome-ignore lint/correctness/useParseIntRadix: the SDK's has none
	return parts.length === 4 && parts.every((part) => Number.parseInt(part) === Number(part));
}

export default class Resolver {
	/** Undefined once closed. */
	#socket: unknown;
	#requests: Request[] = [];
	#timer: ReturnType<typeof Timer.set> | undefined;

	constructor(options: { servers: readonly string[]; socket: unknown }) {
		if (options.servers === undefined || options.servers === null) throw new TypeError("no servers");
		this.#socket = options.socket;
	}

	resolve(options: Request): void {
		const { host, onResolved, onError } = options;
		if (!host || (!onResolved && !onError) || !this.#socket) throw new Error("invalid");
		const name = `${host}`;
		this.#requests.push({ host: name === "localhost" ? "127.0.0.1" : name, onResolved, onError });
		this.#timer ??= Timer.set(() => {
			this.#timer = undefined;
			for (const request of this.#requests.splice(0)) this.#answer(request);
		});
	}

	close(): void {
		this.#socket = undefined;
		this.#requests = [];
		Timer.clear(this.#timer);
		this.#timer = undefined;
	}

	#answer({ host, onResolved, onError }: Request): void {
		if (isAddress(host)) {
			onResolved?.call(this, host, host);
			return;
		}
		lookup(host, { family: 4 }, (error, address) => {
			if (!this.#socket) return;
			if (error) onError?.call(this, host);
			else onResolved?.call(this, host, address);
		});
	}
}
