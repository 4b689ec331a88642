/** The receivers as an application has them, on the bench's chip. */
import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import HTTPClient from "embedded:network/http/client";
import HTTPServer from "embedded:network/http/server";
import { ArduinoOTA } from "../../../ota/arduino-ota";
import type { Board } from "../../../ota/board";
import { bootStrategy } from "../../../ota/boot-loader";
import { HTTPUpdate } from "../../../ota/client/http-update";
import { BoundedListener } from "../../../ota/http/listener";
import { UpdateForm } from "../../../ota/http/update-form";
import { RunningFirmware } from "../../../ota/running";
import type { Update } from "../../../ota/update";
import type { UpdateOptions } from "../../../ota/update-options";
import { Updater } from "../../../ota/updater";
import hostBoard from "../../shims/board";
import { Noise } from "../../virtual/noise";

export const SERVER_PORT = 8070;

/** One that erases no sector before its bytes have come. */
class PatientUpdater extends Updater {
	override open(options: UpdateOptions): Update {
		const update = super.open(options);
		update.eraseAhead = () => {};
		return update;
	}
}

interface Told {
	/** So many bytes of an update are in the Updater's hands. */
	onProgress(done: number): void;
	onError(error: Error): void;
}

export class Firmware {
	readonly running: RunningFirmware;
	readonly #board: Board;
	readonly #updater: Updater;
	readonly #told: Told;

	constructor(erasesAhead: boolean, told: Told) {
		const noise = new Noise(1);
		// Its getters are the board's; only chance is to be the same each time.
		const board = Object.create(hostBoard, {
			random: { value: (bytes: Uint8Array) => noise.fill(bytes) },
		}) as Board;
		const boot = bootStrategy(board);
		this.#board = board;
		this.#told = told;
		this.running = new RunningFirmware(boot.applicationOffset);
		const context = { board, running: this.running, boot };
		this.#updater = erasesAhead ? new Updater(context) : new PatientUpdater(context);
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
