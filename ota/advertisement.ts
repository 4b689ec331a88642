import UDP from "embedded:io/socket/udp";
import DNSSD from "embedded:network/dnssd";

/** Names tried before giving up: `host`, `host-2`, … */
const NAMES_MAX = 9;

/**
 * The SDK's parser of DNS packets throws at malformed ones, and an exception in a callback ends the application:
 * anybody in the network could restart the board.
 */
class GuardedUDP extends UDP {
	constructor(options: ConstructorParameters<typeof UDP>[0]) {
		const { onReadable } = options;
		super({
			...options,
			onReadable(packets) {
				try {
					onReadable?.call(this, packets);
				} catch {
					// The packet is dropped.
				}
			},
		});
	}
}

interface AdvertisementOptions {
	hostName: string;
	/** The OTA port. */
	port: number;
	/** The board's id in the Arduino core's boards.txt. */
	board: string;
	/** A password is wanted. */
	authentication: boolean;
	/** The name was claimed, with a number behind it where another board has it. */
	onName?(hostName: string): void;
}

/**
 * Announces the board by DNS-SD, so that the Arduino IDE lists it as a network port: service
 * `_arduino._tcp.local` with the text records that the IDE reads.
 */
export class Advertisement {
	readonly #options: AdvertisementOptions;
	readonly #dnssd = new DNSSD({ socket: { io: GuardedUDP } });
	#attempt = 1;

	constructor(options: AdvertisementOptions) {
		this.#options = options;
		this.#claim(options.hostName);
	}

	close(): void {
		this.#dnssd.close();
	}

	#claim(host: string): void {
		this.#dnssd.claim({
			host,
			onReady: () => this.#advertise(host),
			onError: () => {
				this.#attempt += 1;
				if (this.#attempt <= NAMES_MAX) this.#claim(`${this.#options.hostName}-${this.#attempt}`);
			},
		});
	}

	#advertise(host: string): void {
		const { port, board, authentication, onName } = this.#options;
		// The IDE's discovery drops an entry that does not split into exactly two parts at "=".
		const txt = new Map([
			["tcp_check", "no"],
			["ssh_upload", "no"],
			["board", board],
			["auth_upload", authentication ? "yes" : "no"],
		]);
		this.#dnssd.advertise({ serviceType: "_arduino._tcp", name: host, host, port, txt });
		onName?.(host);
	}
}
