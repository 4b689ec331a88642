/** MEM_BEGIN, MEM_DATA, MEM_END: a program comes into RAM and is started. The same in the ROM and the stub. */
import { dataOf, type Request } from "./packet";
import type { Registers } from "./registers";
import { done, failed, type Reply } from "./status";

/** What a stub says when it runs, and thus has among its bytes. */
export const GREETING = Buffer.from("OHAI");

export interface RamErrors {
	length: number;
	checksum: number;
	order: number;
	size: number;
	address: number;
}

export class RamDownload {
	readonly #registers: Registers;
	readonly #errors: RamErrors;
	#address = 0;
	#left = 0;
	#sequence = 0;
	#greets = false;

	constructor(registers: Registers, errors: RamErrors) {
		this.#registers = registers;
		this.#errors = errors;
	}

	begin({ body, words: [size = 0, _blocks, blockSize = 0, address = 0] }: Request): Reply {
		const { length, size: badSize, address: badAddress } = this.#errors;
		if (body.length !== 16) return failed(length);
		if (size === 0 || blockSize === 0) return failed(badSize);
		if (!this.#registers.writable(address, size)) return failed(badAddress);
		this.#address = address;
		this.#left = size;
		this.#sequence = 0;
		return done;
	}

	data(request: Request): Reply {
		const { length, checksum, order, size } = this.#errors;
		const data = dataOf(request);
		if (data === "length") return failed(length);
		if (data === "checksum") return failed(checksum);
		if (request.words[1] !== this.#sequence) return failed(order);
		if (data.length > this.#left) return failed(size);
		this.#greets ||= Buffer.from(data.buffer, data.byteOffset, data.length).includes(GREETING);
		const words = new Uint8Array(4 * Math.ceil(data.length / 4));
		words.set(data);
		const view = new DataView(words.buffer);
		for (let at = 0; at < words.length; at += 4) {
			this.#registers.write(this.#address + at, view.getUint32(at, true), 0xffffffff);
		}
		this.#address += data.length;
		this.#left -= data.length;
		this.#sequence += 1;
		return done;
	}

	/** The first word says whether to stay in the loader, the second where the program begins. */
	end({ body, words: [stay = 1, entry = 0] }: Request): Reply {
		if (body.length !== 8) return failed(this.#errors.length);
		if (this.#left > 0) return failed(this.#errors.size);
		if (stay !== 0 || entry === 0) return done;
		const next = this.#greets ? "stub" : "unknown program";
		this.#greets = false;
		return { error: 0, next };
	}
}
