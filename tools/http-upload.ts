/**
 * Uploads to the web update of a board, ours or the Arduino core's (ESP8266HTTPUpdateServer). `GET` of the
 * page comes first: it carries out the login before the image is on its way, and tells whose board it is. Ours
 * takes the image by `PUT` and checks its MD5; the core's form takes it by `POST`, and would read a `PUT`
 * into its memory.
 */
import { createHash } from "node:crypto";
import { ErrorCode, UpdateError } from "../ota/errors";
import { resolve } from "./espota/address";
import type { Password } from "./espota/handshake";
import { Login } from "./http-upload/login";
import { multipart } from "./http-upload/multipart";
import { type Answer, hostOf } from "./http-upload/request";
import {
	awaitRestart,
	type Restart,
	readStatus,
	type Sighting,
	type WatchOptions,
} from "./http-upload/restart";
import { Session } from "./http-upload/session";
import { checkPage, checkUpload, isOurs } from "./http-upload/verdict";

/** Milliseconds without progress. */
const TIMEOUT = 10_000;
/** A board verifies, and reads its whole flash for that. */
const RESULT_TIMEOUT = 60_000;
/** A shorter body is sent sooner than a board would have said `100 Continue`. */
const EXPECT_LENGTH = 64 * 1024;
export const DEFAULT_USER = "admin";

export interface HTTPUploadOptions {
	/** Of the board's update page, http: or https:. A login in it is not looked at. */
	url: URL;
	image: Uint8Array;
	/** `firmware` where not given. */
	kind?: "firmware" | "filesystem" | undefined;
	/** Name that an Arduino device shows in its log. */
	fileName?: string | undefined;
	/** `admin` where not given. */
	user?: string | undefined;
	/** The password, or a function that asks for it when the board wants one; it is called at most once. */
	password?: Password | undefined;
	/** Called before a password is sent that others in the network can read: the board offers nothing else. */
	onCleartext?: (() => void) | undefined;
	/** Milliseconds for each answer, and for a stalled transfer; 10,000 where not given. */
	timeout?: number | undefined;
	/** Milliseconds from the last byte to the result; 60,000 where not given. */
	resultTimeout?: number | undefined;
	/** The socket has taken `done` of `total` bytes of the image. */
	onProgress?: ((done: number, total: number) => void) | undefined;
	/** Where given, the board is asked beforehand what it runs, and `restart` may be called. */
	watch?: WatchOptions | undefined;
	/** Abandons the upload. */
	signal?: AbortSignal | undefined;
}

export interface HTTPUploadResult {
	bytes: number;
	/** Milliseconds from the first byte to the result. */
	ms: number;
	/** Of the image, 32 hexadecimal digits. */
	md5: string;
	/** A board of ours, which has compared the MD5 with what is in its flash. */
	ours: boolean;
	/**
	 * Waits until the board runs what was sent; undefined where it does not tell that. Throws UpdateError
	 * NOT_IN_EFFECT, NOT_BACK, WEB_AUTHENTICATION, STOPPED.
	 */
	restart: (() => Promise<Restart>) | undefined;
}

/**
 * Resolves when the board has taken the update. Throws UpdateError: NO_DATA for an empty image, HOST,
 * NO_ANSWER, CERTIFICATE, NO_WEB_UPDATE, REDIRECTED, PASSWORD_NEEDED, WEB_AUTHENTICATION, BUSY, DEVICE (its
 * own words), BAD_ANSWER, CONNECTION_LOST, NO_RESULT, STOPPED.
 */
export async function httpUpload(options: HTTPUploadOptions): Promise<HTTPUploadResult> {
	const { url, image, user = DEFAULT_USER, password, onCleartext, timeout = TIMEOUT } = options;
	const signal = options.signal ?? new AbortController().signal;
	if (image.length === 0) throw new UpdateError(ErrorCode.NO_DATA);
	const address = await resolve(hostOf(url));
	const login = new Login({ user, password, onCleartext, secure: url.protocol === "https:", signal });
	const session = new Session({ url, address, login, timeout, signal });
	const page = await session.get(target(url));
	checkPage(page, url.origin + target(url));
	const ours = isOurs(page);
	const before = ours && options.watch ? await statusBefore(session) : undefined;
	const md5 = createHash("md5").update(image).digest("hex");
	const start = performance.now();
	options.onProgress?.(0, image.length);
	checkUpload(ours ? await put(session, options, md5) : await post(session, options, page));
	return {
		bytes: image.length,
		ms: Math.round(performance.now() - start),
		md5,
		ours,
		restart:
			before && (() => awaitRestart(session, before, { ...options.watch, sent: image.length, signal })),
	};
}

function target({ pathname, search }: URL): string {
	return pathname + search;
}

/** A board that tells no status takes an update all the same. */
async function statusBefore(session: Session): Promise<Sighting | undefined> {
	try {
		return await readStatus(session);
	} catch (error) {
		if (error instanceof UpdateError && error.code !== ErrorCode.STOPPED) return undefined;
		throw error;
	}
}

function put(session: Session, options: HTTPUploadOptions, md5: string): Promise<Answer> {
	const { url, image, kind = "firmware", resultTimeout = RESULT_TIMEOUT, onProgress } = options;
	const place = `${target(url)}${url.search === "" ? "?" : "&"}kind=${kind}`;
	const headers = { "Content-Type": "application/octet-stream", "x-MD5": md5 };
	return session.send("PUT", place, headers, {
		bytes: image,
		expectContinue: image.length > EXPECT_LENGTH,
		resultTimeout,
		onSent: (bytes) => onProgress?.(bytes, image.length),
	});
}

/** Without `Expect`: the Arduino core does not answer it, and tells nothing before it has the whole body. */
function post(session: Session, options: HTTPUploadOptions, page: Answer): Promise<Answer> {
	const { url, image, kind = "firmware", fileName = `${kind}.bin`, onProgress } = options;
	// Arduino cores before 2.6 take whatever the form sends for a firmware.
	if (kind === "filesystem" && !page.text.includes("filesystem")) {
		throw new UpdateError(ErrorCode.DEVICE, "its page offers no update of the filesystem");
	}
	const { contentType, body, offset } = multipart(kind, fileName, image);
	return session.send(
		"POST",
		target(url),
		{ "Content-Type": contentType },
		{
			bytes: body,
			expectContinue: false,
			resultTimeout: options.resultTimeout ?? RESULT_TIMEOUT,
			onSent: (bytes) => onProgress?.(Math.min(Math.max(0, bytes - offset), image.length), image.length),
		},
	);
}
