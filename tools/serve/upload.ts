/** `PUT /images/<channel>/<file>`: an image from CI, checked before it is in its place. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue } from "./catalogue";
import type { Exchange } from "./exchange";
import { examine, IMAGE_LENGTH_MAX } from "./image";
import { isChannelName, parseImageName } from "./image-name";
import { inside } from "./inside";
import { removeLeftovers, TEMPORARY_PREFIX } from "./leftovers";

export const UPLOAD_PATH = "/images/";
/** Uploads at a time: each holds its image twice while it is checked. */
const UPLOADS_MAX = 4;

export interface UploadOptions {
	/** Without symbolic links. */
	root: string;
	/** Undefined: nobody may upload. */
	token: string | undefined;
	catalogue: Catalogue;
}

/** An answer other than success. */
class Refusal extends Error {
	readonly status: number;

	constructor(status: number, reason: string) {
		super(reason);
		this.status = status;
	}
}

export class Upload {
	readonly #options: UploadOptions;
	/** Files that are being uploaded. */
	readonly #running = new Set<string>();

	constructor(options: UploadOptions) {
		this.#options = options;
	}

	/** Answers; resolves when the answer has been given, or the connection is lost. */
	async answer(exchange: Exchange): Promise<void> {
		try {
			const { channel, file } = this.#check(exchange);
			const place = `${channel}/${file}`;
			exchange.file = place;
			this.#running.add(place);
			try {
				const isNew = await this.#receive(exchange, channel, file);
				exchange.reason = isNew ? "uploaded" : "is there already";
				exchange.answer(isNew ? 201 : 200, { "Content-Type": "text/plain" }, `${exchange.reason}\n`);
			} finally {
				this.#running.delete(place);
			}
		} catch (error) {
			if (exchange.request.destroyed && !exchange.request.complete) return;
			// What is still to come is dropped, as far as the server's time for a request goes.
			exchange.request.resume();
			const { status, message } = asRefusal(error);
			const challenge = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
			exchange.refuse(status, message, challenge);
		}
	}

	/** What can be said before the first byte of the body. Throws Refusal. */
	#check({ request, path }: Exchange): { channel: string; file: string } {
		const { token } = this.#options;
		if (token === undefined) throw new Refusal(403, "no uploads: start the server with --upload-token-env");
		if (!isAuthorized(request.headers.authorization, token)) throw new Refusal(401, "wrong or no token");
		const { channel, file } = placeOf(path);
		const length = request.headers["content-length"];
		if (length === "0") throw new Refusal(422, "the file is empty");
		if (Number(length ?? 0) > IMAGE_LENGTH_MAX) throw new Refusal(413, `more than ${IMAGE_LENGTH_MAX} bytes`);
		if (this.#running.has(`${channel}/${file}`)) throw new Refusal(409, "is being uploaded right now");
		if (this.#running.size >= UPLOADS_MAX) throw new Refusal(503, `${UPLOADS_MAX} uploads are running`);
		return { channel, file };
	}

	/** True where the file is new, false where it was there with the same content. Throws Refusal. */
	async #receive(exchange: Exchange, channel: string, file: string): Promise<boolean> {
		const { root, catalogue } = this.#options;
		const name = parseImageName(file);
		if (!name) throw new Refusal(400, "no name of an image");
		await mkdir(join(root, channel), { recursive: true });
		const folder = await inside(root, join(root, channel));
		if (folder === undefined) throw new Refusal(400, `${channel} leads out of the folder`);
		const path = join(folder, file);
		// Hidden from the catalogue, and in the same folder, so that its new name comes at once.
		const temporary = join(folder, `${TEMPORARY_PREFIX}${randomBytes(8).toString("hex")}`);
		await removeLeftovers(folder).catch(() => {});
		try {
			const md5 = await this.#write(exchange, temporary);
			const found = await examine(temporary, name);
			if ("fault" in found) throw new Refusal(422, found.fault);
			if (await exists(path)) {
				const present = await examine(path, name).catch(() => undefined);
				if (present && "image" in present && present.image.md5 === md5) return false;
				throw new Refusal(409, "is there with another content: make a new version");
			}
			await rename(temporary, path);
			await sync(folder);
		} finally {
			// Where it was renamed there is none any more.
			await unlink(temporary).catch(() => {});
		}
		await catalogue.include(`${channel}/${file}`);
		return true;
	}

	/** Writes the body down to the disk; its MD5. Throws Refusal where it is too long, or the connection is lost. */
	async #write({ request, response }: Exchange, path: string): Promise<string> {
		const handle = await open(path, "wx", 0o644);
		try {
			const digest = createHash("md5");
			let length = 0;
			// The answer to "Expect: 100-continue", which the server leaves to us.
			if (request.headers.expect !== undefined) response.writeContinue();
			// A refusal in the middle must leave the connection, for the answer.
			const pieces: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
			for await (const piece of pieces) {
				length += piece.length;
				if (length > IMAGE_LENGTH_MAX) throw new Refusal(413, `more than ${IMAGE_LENGTH_MAX} bytes`);
				digest.update(piece);
				await handle.writeFile(piece);
			}
			if (length === 0) throw new Refusal(422, "the file is empty");
			await handle.sync();
			return digest.digest("hex");
		} finally {
			await handle.close();
		}
	}
}

function placeOf(path: string): { channel: string; file: string } {
	const [channel = "", file = "", ...rest] = decoded(path.slice(UPLOAD_PATH.length)).split("/");
	if (!isChannelName(channel) || rest.length > 0) throw new Refusal(400, "no /images/<channel>/<file>");
	if (!parseImageName(file))
		throw new Refusal(400, "no <app>-<version>.bin, as lamp-1.2.0.bin (.gz, .signed)");
	return { channel, file };
}

/** Clients may write the plus sign of a build as %2B; what else may come out, the checks behind refuse. */
function decoded(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		return "";
	}
}

/** Takes as long for a wrong token as for the right one, whatever its length. */
function isAuthorized(header: string | undefined, token: string): boolean {
	const [, given = ""] = /^Bearer +(\S+) *$/i.exec(header ?? "") ?? [];
	const [a, b] = [given, token].map((text) => createHash("sha256").update(text).digest());
	return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function asRefusal(error: unknown): Refusal {
	if (error instanceof Refusal) return error;
	const { code, message } = error as NodeJS.ErrnoException;
	return new Refusal(code === "ENOSPC" ? 507 : 500, code ?? message);
}

/** A symbolic link exists, wherever it leads: it is not to be replaced. */
async function exists(path: string): Promise<boolean> {
	return lstat(path).then(
		() => true,
		() => false,
	);
}

/** So that the new name outlives a power cut, where the file system can. */
async function sync(folder: string): Promise<void> {
	const handle = await open(folder);
	await handle.sync().catch(() => {});
	await handle.close();
}
