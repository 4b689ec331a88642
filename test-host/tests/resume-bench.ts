/** A board that resumes downloads on a bench, and a server of files that knows ranges. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { expect } from "vitest";
import type { HTTPUpdateOptions } from "../../ota/client/http-update";
import { ClientBench, md5, TestServer } from "./client-bench";
import { OLD, type UpdaterBenchOptions } from "./updater-bench";

export const SECTOR = 4096;
/** Where the record of the download lies. */
const RECORD = 0x104000;
export const TAG = '"v2"';

export interface Serving {
	image: Uint8Array;
	tag?: string | undefined;
	/** Whether it tells the MD5. */
	digest?: boolean;
	/** Bytes of each answer's body before the connection is cut; more than there are: none is. */
	cuts?: number[];
	/** Bytes of a body that go ahead of the rest. */
	ahead?: number;
	/** Changes an answer to a range. */
	range?(headers: Record<string, string | number>, start: number): number;
	/** Knows no ranges. */
	whole?: boolean;
}

/** A server of files as most are: ranges, If-Range, ETag; and what it had to send. */
export class RangeServer {
	readonly serving: Serving;
	/** First byte and count of each answer's body. */
	readonly sent: [number, number][] = [];
	server: TestServer | undefined;

	private constructor(serving: Serving) {
		this.serving = serving;
	}

	static async start(serving: Serving): Promise<RangeServer> {
		const it = new RangeServer(serving);
		it.server = await TestServer.start((request, response) => it.#answer(request, response));
		return it;
	}

	get url(): string {
		return this.server?.url ?? "";
	}

	/** Ranges that were asked for. */
	get ranges(): (string | undefined)[] {
		return this.server?.asked.map(({ headers }) => headers.range) ?? [];
	}

	#answer(request: IncomingMessage, response: ServerResponse): void {
		const { image, tag, digest = true, cuts = [], ahead = 0, whole, range } = this.serving;
		const validators = [tag, digest ? `"${md5(image)}"` : undefined];
		const wanted = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
		const isValid = !whole && validators.includes(request.headers["if-range"] as string);
		const start = wanted && isValid ? Number(wanted[1]) : 0;
		const headers: Record<string, string | number> = { "content-length": image.length - start };
		if (tag) headers.etag = tag;
		if (digest) headers["x-md5"] = md5(image);
		let status = 200;
		if (start > 0) {
			status = 206;
			headers["content-range"] = `bytes ${start}-${image.length - 1}/${image.length}`;
			status = range?.(headers, start) ?? status;
		}
		const count = Math.min(cuts.shift() ?? Number.POSITIVE_INFINITY, image.length - start);
		this.sent.push([start, count]);
		response.writeHead(status, headers).flushHeaders();
		const rest = image.subarray(start, start + count);
		const send = () => {
			if (count === image.length - start) response.end(rest.subarray(ahead));
			else response.write(rest.subarray(ahead), () => response.socket?.end());
		};
		if (ahead > 0) response.write(rest.subarray(0, ahead), () => setTimeout(send, 50));
		else send();
	}
}

/** A board that starts anew, with a client of its own; what was on the way is gone. */
export class ResumeBench extends ClientBench {
	constructor(options: Partial<HTTPUpdateOptions> = {}, chip: UpdaterBenchOptions = {}) {
		super({ rebootOnSuccess: false, ...options }, chip);
	}

	again(url: string, options: Partial<HTTPUpdateOptions> = {}): Promise<string> {
		this.client.close();
		this.flash.control.powerOn();
		this.flash.control.disarm();
		this.start();
		return this.short(url, this.clientOf({ rebootOnSuccess: false, ...options }));
	}

	/** Gives it back the firmware that it had at first, and no record. */
	renew(): void {
		this.client.close();
		this.flash.control.powerOn();
		this.flash.control.disarm();
		this.rtc.powerOff();
		this.put(0, OLD);
		this.put(RECORD, new Uint8Array(SECTOR).fill(0xff));
		this.soil();
		this.start();
	}

	/** Whether it then runs what it should. */
	takes(version: string): void {
		this.restart();
		expect(this.runs()).toBe(version);
	}

	/** A download that is cut at a byte, and not taken up at once. */
	async cut(server: RangeServer, at: number): Promise<void> {
		server.serving.cuts = [at, 0, 0, 0, 0, 0];
		const client = this.clientOf({ rebootOnSuccess: false });
		client.update(server.url);
		await expect.poll(() => this.updater.last?.result, { interval: 2 }).toBe("failed");
		client.close();
		server.serving.cuts = [];
		server.sent.length = 0;
	}
}
