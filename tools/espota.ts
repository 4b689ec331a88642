/**
 * Uploads to a device with ArduinoOTA, ours or the Arduino core's: invites it by UDP, proves the password
 * where one is wanted, and sends the image over the TCP connection that the device opens.
 */
import { createHash } from "node:crypto";
import { ErrorCode, UpdateError } from "../ota/errors";
import { resolve } from "./espota/address";
import { type Password, shakeHands } from "./espota/handshake";
import { Listener } from "./espota/listener";
import { transfer } from "./espota/transfer";

export const OTA_PORT = 8266;
/** Milliseconds that a device has to answer, to connect, to take the next byte: as long as the IDE's uploader waits. */
export const TIMEOUT = 10_000;
/** UDP loses datagrams; a device takes a repeated invitation for the same one. */
const RESEND_INTERVAL = 3000;
/** A device verifies, and reads its whole flash for that. */
const RESULT_TIMEOUT = 60_000;

export interface UploadOptions {
	/** Name or address of the device. */
	host: string;
	/** UDP port of the device; 8266 where not given. */
	port?: number | undefined;
	image: Uint8Array;
	/** 0 (firmware) where not given; 100 is a filesystem. */
	command?: 0 | 100 | undefined;
	/** The password, or a function that asks for it when the device wants one; it is called at most once. */
	password?: Password | undefined;
	/** TCP port to listen on; any free one where not given. */
	hostPort?: number | undefined;
	/** Milliseconds for each answer, and for a stalled transfer; 10,000 where not given. */
	timeout?: number | undefined;
	/** Milliseconds between invitations without an answer; 3,000 where not given. */
	resendInterval?: number | undefined;
	/** Milliseconds from the last sign of life after the last byte to the result; 60,000 where not given. */
	resultTimeout?: number | undefined;
	/** `sent` bytes were given to the network, of which the device has taken about `accepted`, of `total`. */
	onProgress?: ((sent: number, accepted: number, total: number) => void) | undefined;
	/** Abandons the upload. */
	signal?: AbortSignal | undefined;
}

export interface UploadResult {
	bytes: number;
	/** Milliseconds from the device's connection to its result. */
	ms: number;
	/** Of the image, 32 hexadecimal digits. */
	md5: string;
	/** Address of the device. */
	address: string;
}

/**
 * Resolves when the device has verified the update. Throws UpdateError: NO_DATA for an empty image, HOST,
 * LISTEN, NO_ANSWER, PASSWORD_NEEDED, AUTHENTICATION, DEVICE (its own words), BAD_ANSWER, CONNECT_BACK,
 * CONNECTION_LOST, NO_RESULT, STOPPED.
 */
export async function upload(options: UploadOptions): Promise<UploadResult> {
	const { host, image, command = 0, timeout = TIMEOUT } = options;
	const signal = options.signal ?? new AbortController().signal;
	if (image.length === 0) throw new UpdateError(ErrorCode.NO_DATA);
	const md5 = createHash("md5").update(image).digest("hex");
	const device = await resolve(host);
	const listener = await Listener.open(device, options.hostPort ?? 0);
	try {
		// A device that connects has taken the update, even where its `OK` was lost.
		const taken = new AbortController();
		void listener.connected.then(() => taken.abort());
		await shakeHands({
			device,
			port: options.port ?? OTA_PORT,
			offer: { command, port: listener.port, size: image.length, md5 },
			password: options.password,
			timeout,
			resendInterval: options.resendInterval ?? RESEND_INTERVAL,
			signal: AbortSignal.any([signal, taken.signal]),
		});
		const socket = await listener.accept(timeout, signal);
		const start = performance.now();
		await transfer(socket, {
			image,
			timeout,
			resultTimeout: options.resultTimeout ?? RESULT_TIMEOUT,
			onProgress: options.onProgress,
			signal,
		});
		return { bytes: image.length, ms: Math.round(performance.now() - start), md5, address: device.address };
	} finally {
		listener.close();
	}
}
