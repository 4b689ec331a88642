/** The receivers as an application has them, on the bench's chip. */
import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import HTTPClient from "embedded:network/http/client";
import HTTPServer from "embedded:network/http/server";
import { ArduinoOTA } from "../../../ota/arduino-ota";
import type { Board } from "../../../ota/board";
import { HTTPUpdate } from "../../../ota/client/http-update";
import { EbootStrategy } from "../../../ota/eboot";
import { BoundedListener } from "../../../ota/http/listener";
import { UpdateForm } from "../../../ota/http/update-form";
import { RunningFirmware } from "../../../ota/running";
import type { UpdateContext } from "../../../ota/update-options";
import { Updater } from "../../../ota/updater";
import hostBoard from "../../shims/board";
import { Noise } from "../../virtual/noise";

export const SERVER_PORT = 8070;

/** Switches of the Updater that a row has on. */
export type Switches = Partial<Omit<UpdateContext, "board" | "boot" | "running">>;

interface Told {
	/** So many bytes of an update are in the Updater's hands. */
	onProgress(done: number): void;
	onError(error: Error): void;
}

export class Firmware {
	readonly running = new RunningFirmware();
	readonly #board: Board;
	readonly #updater: Updater;
	readonly #told: Told;

	constructor(switches: Switches, told: Told) {
		const noise = new Noise(1);
		// Its getters are the board's; only chance is to be the same each time.
		this.#board = Object.create(hostBoard, {
			random: { value: (bytes: Uint8Array) => noise.fill(bytes) },
		}) as Board;
		this.#told = told;
		this.#updater = new Updater({
			board: this.#board,
			running: this.running,
			boot: new EbootStrategy(this.#board),
			...switches,
		});
	}

	arduinoOTA(password: string | undefined): void {
		const { onProgress, onError } = this.#told;
		new ArduinoOTA({
			updater: this.#updater,
			board: this.#board,
			dnssd: false,
			password,
			onProgress,
			onError: (_stage, error) => onError(error),
		});
	}

	form(): void {
		const form = new UpdateForm({
			updater: this.#updater,
			board: this.#board,
			running: this.running,
			page: new ArrayBuffer(0),
			...this.#told,
		});
		new HTTPServer({
			io: BoundedListener,
			port: 80,
			onConnect: (connection) => connection.accept(form.handlers),
		});
	}

	/** Asks the PC's server, now. */
	poll(): void {
		const client = new HTTPUpdate({
			updater: this.#updater,
			board: this.#board,
			running: this.running,
			http: {
				io: HTTPClient,
				dns: { io: Resolver, servers: ["10.0.0.2"], socket: { io: UDP } },
				socket: { io: TCP },
			},
			...this.#told,
		});
		client.update(`http://10.0.0.2:${SERVER_PORT}/update`);
	}
}
