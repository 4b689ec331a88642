/** The body that a browser's form sends (RFC 7578), with one file in it. */
import { randomBytes } from "node:crypto";

export interface Multipart {
	contentType: string;
	body: Uint8Array;
	/** Where in the body the file begins. */
	offset: number;
}

/**
 * `field` is the form's name for the file. The Arduino core reads a part's headers by their place: first
 * Content-Disposition, then Content-Type, and takes the boundary as it stands behind `boundary=`.
 */
export function multipart(field: string, fileName: string, file: Uint8Array): Multipart {
	const boundary = `ota8266-${randomBytes(16).toString("hex")}`;
	const safeName = fileName.replace(/[^\x20-\x7e]|["\\=]/g, "_");
	const head = Buffer.from(
		`--${boundary}\r\n` +
			`Content-Disposition: form-data; name="${field}"; filename="${safeName}"\r\n` +
			"Content-Type: application/octet-stream\r\n\r\n",
	);
	const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
	return {
		contentType: `multipart/form-data; boundary=${boundary}`,
		body: Buffer.concat([head, file, tail]),
		offset: head.length,
	};
}
