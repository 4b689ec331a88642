/** The PC's side of updates by HTTP on the bench: curl that puts or posts, and a server that is asked. */
import { createHash } from "node:crypto";
import type { Machine } from "../machine";

const BOUNDARY = "------------------------bench";

const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
const bytesOf = (message: string) => new TextEncoder().encode(message);

/** Sends the image to the board's port 80, bare or in a form. Throws Error where the answer is no 200. */
export function startHTTPUpload(machine: Machine, image: Uint8Array, form: boolean): void {
	const end = machine.network.pc.connect(80);
	const disposition = 'Content-Disposition: form-data; name="firmware"; filename="firmware.bin"';
	const before = form
		? `--${BOUNDARY}\r\n${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n`
		: "";
	const after = form ? `\r\n--${BOUNDARY}--\r\n` : "";
	const lines = [
		form ? "POST /update HTTP/1.1" : "PUT /update?kind=firmware HTTP/1.1",
		"Host: 127.0.0.1",
		"User-Agent: curl/8.5.0",
		"Accept: */*",
		`Content-Length: ${before.length + image.length + after.length}`,
		...(form ? [`Content-Type: multipart/form-data; boundary=${BOUNDARY}`] : []),
	];
	// As curl has it.
	end.sender.nodelay = true;
	end.onConnected = () => {
		end.sender.write(bytesOf(`${lines.join("\r\n")}\r\n\r\n${before}`));
		end.sender.write(image);
		end.sender.write(bytesOf(after));
	};
	end.receiver.onReadable = () => {
		const bytes = new Uint8Array(end.receiver.available);
		end.receiver.read(bytes);
		const [, status] = /^HTTP\/1.1 (\d+)/.exec(text(bytes)) ?? [];
		if (status && status !== "200") throw new Error(`the board says: ${text(bytes)}`);
	};
}

/** Serves the image at any path of this port to one that asks. */
export function startServer(machine: Machine, image: Uint8Array, port: number): void {
	machine.network.pc.tcp.set(port, (end) => {
		let request = "";
		end.sender.nodelay = true;
		end.receiver.onReadable = () => {
			const bytes = new Uint8Array(end.receiver.available);
			end.receiver.read(bytes);
			request += text(bytes);
			if (!request.endsWith("\r\n\r\n")) return;
			const md5 = createHash("md5").update(image).digest("hex");
			const head = [
				"HTTP/1.1 200 OK",
				`Content-Length: ${image.length}`,
				"Content-Type: application/octet-stream",
				`x-MD5: ${md5}`,
				`ETag: "${md5}"`,
				"Accept-Ranges: bytes",
			];
			request = "";
			end.sender.write(bytesOf(`${head.join("\r\n")}\r\n\r\n`));
			end.sender.write(image);
		};
	});
}
