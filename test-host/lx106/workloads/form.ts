/** A browser's form: the head byte by byte, then the body's parts. */
import Resource from "Resource";
import { Digest } from "crypt";
import config from "mc/config";
import { start, stop } from "measure";
import { toHex } from "../../../ota/hex";
import { Head, RequestHead } from "../../../ota/http/head";
import { Multipart } from "../../../ota/http/multipart";

const PIECE = 1024;
const WANTED: readonly string[] = Object.freeze(["authorization", "content-length", "content-type", "host"]);

class Sink {
	readonly digest = new Digest("MD5");
	length = 0;

	onPart(name: string): void {
		trace(`part ${name}\n`);
	}
	onData(bytes: Uint8Array): void {
		this.length += bytes.length;
	}
	onPartEnd(): void {
		trace(`${this.length} bytes\n`);
	}
}

/** Of what the parts hold. */
class DigestSink extends Sink {
	override onData(bytes: Uint8Array): void {
		super.onData(bytes);
		this.digest.write(bytes);
	}
}

function give(form: Resource, sink: Sink, name: string): void {
	const parser = new Multipart(String(config.type), PIECE, sink);
	for (let at = 0; at < form.byteLength; at += PIECE) {
		const bytes = new Uint8Array(form.slice(at, at + PIECE));
		// The first one has the part's headers, which are read byte by byte.
		const what = at === 0 ? `${name}, first piece` : name;
		start(what);
		const { room } = parser;
		stop();
		// As the board's socket does it, which reads into it.
		room.set(bytes);
		start(what);
		parser.consume(bytes.length);
		stop();
	}
	trace(`complete ${parser.complete}\n`);
}

export default function run(): void {
	const bytes = new Uint8Array(new Resource("head").slice(0));
	let result: number = Head.MORE;
	start("head");
	const head = new RequestHead(WANTED);
	for (let i = 0; result === Head.MORE; i++) result = head.write(bytes[i] ?? 0);
	stop();
	trace(`head ${result} ${head.length} ${head.bodyLength}\n`);
	const form = new Resource("form");
	give(form, new Sink(), "form");
	const sink = new DigestSink();
	give(form, sink, "form and digest");
	trace(`MD5 ${toHex(sink.digest.close())}\n`);
}
