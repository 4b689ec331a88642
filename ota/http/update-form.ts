/**
 * Receives updates as the Arduino core's ESP8266HTTPUpdateServer does: a page for browsers, its form, and beside
 * it the bare image by `PUT`, for scripts. Handlers for a server of the SDK that listens through BoundedListener:
 *
 *   new HTTPServer({ io: BoundedListener, port: 80, onConnect: (connection) => connection.accept(form.handlers) });
 */
import type { HTTPConnection, HTTPConnectionHandlers } from "embedded:network/http/server";
import Timer from "timer";
import { type Board, defaultHostName } from "../board";
import type { UpdateError } from "../errors";
import type { UpdateKind } from "../kind";
import type { RunningFirmware } from "../running";
import type { Updater } from "../updater";
import type { Body } from "./answer";
import { HTTPAuthentication } from "./authentication";
import { Exchange, type Exchanges } from "./exchange";
import { pathOf, Routes } from "./routes";

/** Lets the answer arrive before the network goes away. */
const RESTART_DELAY = 1000;

export interface UpdateFormOptions {
	updater: Updater;
	board: Board;
	running: RunningFirmware;
	/** The update page, gzip: `new Resource("update.html.gz")`. */
	page: Body;
	/** Where the page is; `/update` where not given. */
	path?: string | undefined;
	/** With a password, `admin` where not given. */
	user?: string | undefined;
	/** Without one everybody in the network may update. */
	password?: string | undefined;
	/** What the browser asks the password for; `ota8266` where not given. No quotes in it. */
	realm?: string | undefined;
	/** Takes Basic, by which the password crosses the air in clear; true where not given, for the scripts that send it. */
	basic?: boolean | undefined;
	/** The board's name on the network, as ArduinoOTA's. Under other names it is not spoken to. */
	hostName?: string | undefined;
	/** Restarts into the update by itself; true where not given. Else the application calls `updater.restart()`. */
	rebootOnSuccess?: boolean | undefined;
	onStart?: ((kind: UpdateKind) => void) | undefined;
	onProgress?: ((done: number, total: number) => void) | undefined;
	onEnd?: ((kind: UpdateKind) => void) | undefined;
	onError?: ((error: UpdateError) => void) | undefined;
}

/** The SDK's connection, with what it is about. */
type Served = HTTPConnection & { exchange?: Exchange | undefined };

export class UpdateForm implements Exchanges {
	readonly updater: Updater;
	readonly routes: Routes;
	readonly exchanges = new Set<Exchange>();
	/** For `connection.accept`, or as `connection.route` of a server that has other routes. */
	readonly handlers: HTTPConnectionHandlers;
	readonly #options: UpdateFormOptions;
	readonly #path: string;
	#restart: Timer | undefined;
	#closed = false;

	constructor(options: UpdateFormOptions) {
		const { updater, board, running, page, path = "/update", password } = options;
		const { user = "admin", realm = "ota8266", basic = true } = options;
		const hostName = options.hostName || defaultHostName(board);
		const authentication = password
			? new HTTPAuthentication({ board, user, password, realm, basic })
			: undefined;
		this.#options = options;
		this.#path = path;
		this.updater = updater;
		this.routes = new Routes({ board, running, updater, page, path, hostName, authentication });
		const form = this;
		this.handlers = {
			...handlers,
			onRequest(this: Served, request) {
				if (form.#closed) this.close();
				else this.exchange = new Exchange(form, this, request);
			},
		};
	}

	/** Whether a request is for these handlers. `target`: path and query, as in the request. */
	serves(target: string): boolean {
		const path = pathOf(target);
		return path === "/" || path === "/status" || path === this.#path;
	}

	/** Abandons an update under way and answers no more. The server is the application's to close, afterwards. */
	close(): void {
		this.#closed = true;
		Timer.clear(this.#restart);
		for (const exchange of this.exchanges) exchange.close();
	}

	onStart(kind: UpdateKind): void {
		this.#options.onStart?.(kind);
	}

	readonly onProgress = (done: number, total: number): void => {
		this.#options.onProgress?.(done, total);
	};

	onEnd(kind: UpdateKind): void {
		const { onEnd, rebootOnSuccess = true } = this.#options;
		onEnd?.(kind);
		if (!rebootOnSuccess || this.#closed) return;
		this.#restart = Timer.set(() => this.updater.restart(), RESTART_DELAY);
	}

	onError(error: UpdateError): void {
		this.#options.onError?.(error);
	}
}

/** The same for every form. */
const handlers = Object.freeze({
	onReadable(this: Served, count: number): void {
		this.exchange?.readable(count);
	},
	onResponse(this: Served): void {
		this.exchange?.received();
	},
	onWritable(this: Served, count: number): void {
		this.exchange?.writable(count);
	},
	onDone(this: Served): void {
		this.exchange?.ended(false);
	},
	onError(this: Served): void {
		this.exchange?.ended(true);
	},
});
