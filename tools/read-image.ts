import { access, readFile, stat } from "node:fs/promises";
import { ErrorCode, UpdateError } from "../ota/errors";

/** The largest flash that an ESP8266 maps. */
const SIZE_MAX = 0x1000000;

/** `file`, or `file`.signed where that exists: the build leaves the signed image beside the other. */
export async function fileToSend(file: string): Promise<string> {
	const signed = `${file}.signed`;
	try {
		await access(signed);
		return signed;
	} catch {
		return file;
	}
}

/** The bytes of a file. Throws UpdateError FILE for one that is missing, empty or larger than any flash. */
export function readImage(file: string): Promise<Uint8Array> {
	return readBounded(file, SIZE_MAX, "fit no flash");
}

/** The bytes of a file. Throws UpdateError FILE for one that is missing, empty, or longer than `sizeMax`: `tooLong` says why. */
export async function readBounded(file: string, sizeMax: number, tooLong: string): Promise<Uint8Array> {
	let bytes: Uint8Array;
	try {
		const stats = await stat(file);
		const { size } = stats;
		// A device could be read for ever.
		if (!stats.isFile() && !stats.isDirectory())
			throw new UpdateError(ErrorCode.FILE, file, "that is no file");
		if (size > sizeMax) throw new UpdateError(ErrorCode.FILE, file, `${size} bytes ${tooLong}`);
		bytes = await readFile(file);
	} catch (error) {
		throw error instanceof UpdateError ? error : new UpdateError(ErrorCode.FILE, file, reason(error));
	}
	if (bytes.length === 0) throw new UpdateError(ErrorCode.FILE, file, "the file is empty");
	return bytes;
}

function reason(error: unknown): string {
	const { code } = error as NodeJS.ErrnoException;
	if (code === "ENOENT") return "no such file";
	if (code === "EISDIR") return "that is a folder";
	if (code === "EACCES") return "no permission to read it";
	return error instanceof Error ? error.message : String(error);
}
