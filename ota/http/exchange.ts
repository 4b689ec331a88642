/**
 * One request to the board and its answer. States, in order:
 *   opening    nothing is decided
 *   receiving  the body goes into an update
 *   draining   the answer is decided: what still comes of the body is read and dropped, because a client that is
 *              still sending reads no answer
 *   answering  the answer goes out
 *   closed
 */
import type { HTTPConnection, HTTPRequest } from "embedded:network/http/server";
import Timer from "timer";
import { ErrorCode, UpdateError } from "../errors";
import type { UpdateKind } from "../kind";
import type { Update } from "../update";
import type { Updater } from "../updater";
import type { Answer } from "./answer";
import { UNBOUNDED } from "./limits";
import type { Routes } from "./routes";
import { type BoundedSocket, currentSocket } from "./socket";
import { FORM_OVERHEAD, PIECE, Upload } from "./upload";

/** Bytes that are read and dropped of a body: any image, and its form. */
const DRAIN_MAX = 0x200000;

/** What an exchange belongs to, and tells. */
export interface Exchanges {
	readonly updater: Updater;
	readonly routes: Routes;
	/** Those under way. */
	readonly exchanges: Set<Exchange>;
	onStart(kind: UpdateKind): void;
	onProgress(done: number, total: number): void;
	onEnd(kind: UpdateKind): void;
	onError(error: UpdateError): void;
}

export class Exchange {
	private readonly form: Exchanges;
	private readonly connection: HTTPConnection;
	private readonly socket: BoundedSocket;
	private readonly request: HTTPRequest;
	private state: "opening" | "receiving" | "draining" | "answering" | "closed" = "opening";
	private answer: Answer | undefined;
	private upload: Upload | undefined;
	private update: Update | undefined;
	/** Bytes of the body; undefined where it comes in chunks. */
	private byteLength: number | undefined;
	/** Bytes of the body that wait, and that were dropped. */
	private available = 0;
	private drained = 0;
	/** Bytes that a form may still have. */
	private allowed = UNBOUNDED;
	/** The client waits with its body for a word of ours. */
	private waits: boolean;
	/** The whole request has come. */
	private complete = false;
	/** Bytes of the answer that may be written. */
	private room = 0;
	/** The next turn, or the end of the wait after wrong credentials. */
	private timer: Timer | undefined;

	/** All that it does is done in turns of its own: from within the server's, the engine's stack would not do. */
	constructor(form: Exchanges, connection: HTTPConnection, request: HTTPRequest) {
		const socket = currentSocket();
		if (!socket) throw new Error("UpdateForm wants a server with { io: BoundedListener }");
		this.form = form;
		this.connection = connection;
		this.socket = socket;
		this.request = request;
		this.waits = socket.defer();
		form.exchanges.add(this);
		this.next();
	}

	/** `count` bytes of the body wait. */
	readable(count: number): void {
		this.available = count;
		this.next();
	}

	/** The whole request has come. */
	received(): void {
		this.complete = true;
		this.next();
	}

	/** `count` bytes of the answer's body may be written. */
	writable(count: number): void {
		this.room = count;
		this.next();
	}

	/** The connection is closed; `lost` before the answer was sent. */
	ended(lost: boolean): void {
		const { form, update } = this;
		Timer.clear(this.timer);
		this.timer = undefined;
		this.state = "closed";
		form.exchanges.delete(this);
		if (!update?.isOpen) return;
		if (!lost) {
			update.close();
			return;
		}
		const error = new UpdateError(ErrorCode.CONNECTION_LOST, update.received, this.byteLength ?? "unknown");
		update.close(error);
		form.onError(error);
	}

	/** Ends it from this side; an update under way is abandoned. */
	close(): void {
		if (this.state === "closed") return;
		this.ended(false);
		try {
			this.connection.close();
		} catch {
			// The server was closed before.
		}
	}

	private next(): void {
		if (this.state !== "closed") this.timer ??= Timer.set(this.turn);
	}

	/** Kept, since a turn comes with every sector. Little is done here: a call takes a dozen slots of the stack. */
	private readonly turn = (): void => {
		this.timer = undefined;
		switch (this.state) {
			case "opening":
				this.begin();
				this.next();
				break;
			case "receiving":
				this.receive();
				break;
			case "draining":
				this.drain();
				break;
			case "answering":
				this.send();
		}
	};

	private receive(): void {
		while (this.available > 0) {
			const bytes = this.read();
			// The connection has ended; that is told by itself.
			if (!bytes) return;
			let programmed = false;
			try {
				this.allowed -= bytes.byteLength;
				if (this.allowed < 0) throw new UpdateError(ErrorCode.SPACE);
				this.upload?.take(bytes);
				if (!this.update) this.open();
				const found = this.upload?.found ?? [];
				for (let i = 0; i < found.length; i++) if (this.update?.write(found[i] ?? bytes)) programmed = true;
			} catch (error) {
				this.fail(error);
			}
			if (programmed || this.state !== "receiving") {
				this.next();
				return;
			}
		}
		if (this.complete) this.finish();
		else this.update?.eraseAhead();
	}

	private drain(): void {
		while (this.available > 0) {
			const bytes = this.read();
			if (!bytes) return;
			this.drained += bytes.byteLength;
			if (this.drained > DRAIN_MAX) {
				this.close();
				return;
			}
		}
		if (this.complete || this.waits) this.respond();
	}

	private send(): void {
		const room = this.room;
		this.room = 0;
		if (this.answer?.write(this.connection, room) === false) this.close();
	}

	/** The next bytes of the body: a view of where the socket has put them. */
	private read(): Uint8Array | undefined {
		this.socket.into = this.upload?.room ?? this.socket.into ?? new Uint8Array(PIECE);
		const bytes = this.connection.read(Math.min(this.available, PIECE));
		this.available -= bytes?.byteLength ?? 0;
		return bytes as Uint8Array | undefined;
	}

	/** Decides what the request is. A bare image is refused or begins here, before its first byte. */
	private begin(): void {
		const { form, request, socket } = this;
		this.answer = form.routes.answer(request, socket.peer);
		this.state = this.answer ? "draining" : "receiving";
		if (this.answer) return;
		const { headers } = request;
		const length = headers.get("content-length");
		const isForm = request.method === "POST";
		if (length !== undefined) this.byteLength = Number(length);
		try {
			if (this.byteLength === 0) throw new UpdateError(ErrorCode.NO_DATA);
			this.checkBusy();
			if (isForm) this.checkForm();
			const type = isForm ? (headers.get("content-type") ?? "") : undefined;
			this.upload = new Upload(type, form.routes.kind(request) ?? "firmware", headers.get("x-md5"));
			// An update takes their memory.
			headers.clear();
			if (!isForm) this.open();
		} catch (error) {
			this.fail(error);
			return;
		}
		socket.pin();
		if (this.waits) socket.proceed();
		this.waits = false;
	}

	/** One at a time, and be it a form that has not said yet what it brings: each takes memory of its own. */
	private checkBusy(): void {
		const { updater, exchanges } = this.form;
		let busy = updater.busy;
		for (const one of exchanges) if (one !== this && one.state === "receiving") busy = true;
		if (busy) throw new UpdateError(ErrorCode.RUNNING_ALREADY);
	}

	/** What can be told of a form before it says what it brings. */
	private checkForm(): void {
		const { updater } = this.form;
		const room = Math.max(updater.freeSpace("firmware"), updater.freeSpace("filesystem"));
		this.allowed = room + FORM_OVERHEAD;
		if ((this.byteLength ?? 0) > this.allowed) throw new UpdateError(ErrorCode.SPACE);
	}

	/** Opens the update as soon as it is known what is updated. */
	private open(): void {
		const { form, socket, upload } = this;
		const kind = upload?.kind;
		if (!kind) return;
		this.update = form.updater.open({
			kind,
			byteLength: this.request.method === "PUT" ? this.byteLength : undefined,
			md5: upload.md5,
			from: `HTTP ${socket.peer}`,
			onProgress: form.onProgress,
		});
		form.onStart(kind);
	}

	/** What the flash module throws is no partition that could be read. */
	private fail(cause: unknown): void {
		if (this.state === "closed") return;
		const error = cause instanceof UpdateError ? cause : new UpdateError(ErrorCode.READ);
		this.update?.close(error);
		this.socket.pinned = false;
		this.state = "draining";
		this.answer = this.form.routes.failure(this.request, error);
		this.form.onError(error);
	}

	/** The body has come to its end. */
	private finish(): void {
		const { form, upload } = this;
		try {
			upload?.end();
			this.update?.complete();
			this.answer = form.routes.success(this.request);
			this.state = "draining";
			if (upload?.kind) form.onEnd(upload.kind);
		} catch (error) {
			this.fail(error);
		}
		this.next();
	}

	private respond(): void {
		const { answer } = this;
		if (!answer) return;
		if (answer.delay > 0) {
			this.socket.answering();
			this.timer = Timer.set(this.turn, answer.delay);
			answer.delay = 0;
			return;
		}
		this.state = "answering";
		this.connection.respond(answer);
	}
}
