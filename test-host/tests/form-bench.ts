/** The update form in this thread, on the Updater's bench, with the SDK's server and real sockets. */
import HTTPServer from "embedded:network/http/server";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished } from "vitest";
import { BoundedListener } from "../../ota/http/listener";
import type { BoundedSocket } from "../../ota/http/socket";
import { UpdateForm, type UpdateFormOptions } from "../../ota/http/update-form";
import { RunningFirmware } from "../../ota/running";
import { board, firmware, UpdaterBench, type UpdaterBenchOptions } from "./updater-bench";

export const NEW = firmware("2.0.0", 30_000);
export const PAGE = new TextEncoder().encode("a page, as if it were compressed");

/** Milliseconds of a tick, in which the server's limits of time are counted. */
export const TICK = 40;

export interface Reply {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	body: string;
}

export class FormBench extends UpdaterBench {
	readonly port: number;
	readonly form: UpdateForm;
	readonly server: HTTPServer;
	/** What the application was told, in order. */
	readonly told: string[] = [];
	/** Connections that the board has done with. */
	ended = 0;
	/** Resolves when the board restarts. */
	readonly restarted: Promise<void>;

	constructor(options: Partial<UpdateFormOptions> = {}, chip: UpdaterBenchOptions = {}) {
		let restarted = () => {};
		super({ ...chip, restart: () => restarted() as never });
		this.restarted = new Promise((resolve) => {
			restarted = resolve;
		});
		this.form = new UpdateForm({
			updater: this.updater,
			board,
			running: new RunningFirmware(),
			page: PAGE.buffer,
			onStart: (kind) => this.told.push(`start ${kind}`),
			onEnd: (kind) => this.told.push(`end ${kind}`),
			onError: (error) => this.told.push(`error: ${error}`),
			...options,
		});
		const ended = () => {
			this.ended += 1;
		};
		class QuickListener extends BoundedListener {
			override get tick(): number {
				return TICK;
			}

			override remove(socket: BoundedSocket): void {
				super.remove(socket);
				ended();
			}
		}
		this.server = new HTTPServer({
			io: QuickListener,
			port: 0,
			onConnect: (connection) => connection.accept(this.form.handlers),
		});
		this.port = this.server.port;
		onTestFinished(() => {
			this.form.close();
			this.server.close();
		});
	}

	/** A request with a body as it is, by Node's client. */
	ask(
		method: string,
		path: string,
		headers: Record<string, string> = {},
		body: string | Uint8Array = "",
	): Promise<Reply> {
		return new Promise((resolve, reject) => {
			const length = body.length > 0 ? { "content-length": String(body.length) } : {};
			const asked = request({
				host: "127.0.0.1",
				port: this.port,
				method,
				path,
				agent: false,
				headers: { ...length, ...headers },
			});
			asked.on("error", reject);
			asked.on("response", (response) => {
				let text = "";
				response.setEncoding("latin1");
				response.on("data", (more) => {
					text += more;
				});
				response.on("end", () => {
					resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
				});
			});
			asked.end(body);
		});
	}

	/** An update by PUT that has sent so many bytes of NEW, which the board has taken. */
	async updating(count = 5000): Promise<Raw> {
		const raw = await this.raw();
		raw.socket.write(`PUT /update HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${NEW.length}\r\n\r\n`);
		raw.socket.write(NEW.subarray(0, count));
		await expect.poll(() => this.updater.last?.bytes).toBe(count);
		return raw;
	}

	/** A connection for bytes of the test's own. */
	async raw({ port = this.port, from = "127.0.0.1" } = {}): Promise<Raw> {
		const socket = connect({ port, host: "127.0.0.1", localAddress: from });
		await once(socket, "connect");
		const raw = new Raw(socket);
		onTestFinished(() => {
			socket.destroy();
		});
		return raw;
	}
}

export class Raw {
	readonly socket: Socket;
	/** What came so far. */
	text = "";
	closed = false;

	constructor(socket: Socket) {
		this.socket = socket;
		socket.on("error", () => {});
		socket.on("close", () => {
			this.closed = true;
		});
		socket.setEncoding("latin1").on("data", (text) => {
			this.text += text;
		});
	}

	/** Waits for a text in what came, or for the end. */
	async says(text: string): Promise<string> {
		for (const end = Date.now() + 5000; !this.text.includes(text) && !this.closed; ) {
			if (Date.now() > end) throw new Error(`waited 5 s for "${text}" in "${this.text}"`);
			await new Promise((wake) => setTimeout(wake, 2));
		}
		return this.text;
	}

	async ended(): Promise<string> {
		for (const end = Date.now() + 5000; !this.closed; ) {
			if (Date.now() > end) throw new Error(`waited 5 s for the end of "${this.text}"`);
			await new Promise((wake) => setTimeout(wake, 2));
		}
		return this.text;
	}
}

export { FORM, formBody } from "./form-body";
