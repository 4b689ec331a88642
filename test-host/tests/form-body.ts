/** The body of a form, as browsers send it. */
export const BOUNDARY = "----WebKitFormBoundaryabcdefghijklmnop";

/** A form as browsers send it: fields and files in this order. */
export function formBody(
	parts: readonly (readonly [name: string, content: string | Uint8Array])[],
	boundary = BOUNDARY,
): Uint8Array {
	const pieces = parts.flatMap(([name, content]) => [
		Buffer.from(
			`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="a.bin"\r\n` +
				"Content-Type: application/octet-stream\r\n\r\n",
		),
		Buffer.from(content),
		Buffer.from("\r\n"),
	]);
	return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

export const FORM = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
