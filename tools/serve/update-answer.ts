/** `GET /update`: from the request of a device to the answer on the network. */
import type { OutgoingHttpHeaders } from "node:http";
import { basename } from "node:path";
import { type Decision, decide, type Policy } from "./decision";
import { parseDeviceRequest } from "./device-request";
import type { Exchange } from "./exchange";
import type { Image } from "./image";
import type { Metrics } from "./metrics";
import { OpenImages } from "./open-images";
import { matchesETag, spanOf } from "./range";
import type { SeenDevices } from "./seen-devices";
import { sendImage } from "./send";

/** Downloads at a time: about 50 KB of memory each. Devices that are turned away ask again. */
export const DOWNLOADS_MAX = 2000;
const RETRY_AFTER = 30;

export interface UpdateAnswerOptions {
	policy: () => Policy;
	seen: SeenDevices;
	metrics: Metrics;
}

export class UpdateAnswer {
	readonly #options: UpdateAnswerOptions;
	readonly #images = new OpenImages();

	constructor(options: UpdateAnswerOptions) {
		this.#options = options;
	}

	/** Answers; resolves when the answer has been given, or the connection is lost. */
	async answer(exchange: Exchange): Promise<void> {
		const device = parseDeviceRequest(exchange.request.headers);
		if ("fault" in device) return exchange.refuse(403, device.fault);
		exchange.device = device;
		const decision = decide(device, this.#options.policy());
		exchange.reason = decision.reason;
		exchange.response.once("close", () => {
			const { outcome, response } = exchange;
			this.#options.seen.note(device, decision, `${response.statusCode} ${outcome}`);
		});
		await this.#act(exchange, decision);
	}

	async #act(exchange: Exchange, decision: Decision): Promise<void> {
		if (decision.status === 404) return exchange.refuse(404, decision.reason);
		if ("version" in decision) return exchange.answer(200, { "x-version": decision.version });
		if (!("image" in decision)) return exchange.answer(304);
		const { image, channel } = decision;
		const etag = `"${image.md5}"`;
		const { headers } = exchange.request;
		if (matchesETag(headers["if-none-match"], etag)) {
			exchange.reason = "has this ETag";
			return exchange.answer(304, { ETag: etag });
		}
		const { range, "if-range": ifRange } = headers;
		const span = spanOf(range, typeof ifRange === "string" ? ifRange : undefined, { etag, size: image.size });
		if (span.status === 416) {
			return exchange.refuse(416, `no such range of ${image.size} bytes`, {
				"Content-Range": `bytes */${image.size}`,
			});
		}
		exchange.file = `${channel}/${basename(image.path)}`;
		const { status, start, end } = span;
		const isPart = status === 206;
		const answer: OutgoingHttpHeaders = {
			"Content-Type": "application/octet-stream",
			"Content-Length": end - start,
			"x-MD5": image.md5,
			ETag: etag,
			"Accept-Ranges": "bytes",
			"Cache-Control": "no-cache",
			...(isPart && { "Content-Range": `bytes ${start}-${end - 1}/${image.size}` }),
		};
		if (isPart) exchange.reason = `${decision.reason} from byte ${start}`;
		if (exchange.isHead) {
			exchange.response.writeHead(status, answer).end();
			return;
		}
		await this.#download(exchange, image, { status, answer, start, end });
	}

	async #download(exchange: Exchange, image: Image, { status, answer, start, end }: Download): Promise<void> {
		const { metrics } = this.#options;
		if (metrics.downloadsRunning >= DOWNLOADS_MAX) {
			return exchange.refuse(503, `${DOWNLOADS_MAX} downloads are running`, { "Retry-After": RETRY_AFTER });
		}
		metrics.downloadsRunning += 1;
		try {
			const open = await this.#images.acquire(image);
			if (!open) {
				return exchange.refuse(503, "the image has just changed", { "Retry-After": RETRY_AFTER });
			}
			try {
				exchange.response.writeHead(status, answer);
				await sendImage(exchange.response, open, {
					start,
					end,
					onSent: (bytes) => {
						exchange.bytes += bytes;
					},
				});
			} finally {
				open.release();
			}
		} finally {
			metrics.downloadsRunning -= 1;
		}
	}
}

interface Download {
	status: 200 | 206;
	answer: OutgoingHttpHeaders;
	start: number;
	end: number;
}
