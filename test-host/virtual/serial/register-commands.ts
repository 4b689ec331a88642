/** READ_REG and WRITE_REG, the same in the ROM and the stub. */
import type { Request } from "./packet";
import type { Registers } from "./registers";
import { done, failed, type Reply } from "./status";

/** WRITE_REG's unit: address, value, mask, a delay in µs. */
const WRITE_LENGTH = 16;

export function readRegister(registers: Registers, { body, words }: Request, error: number): Reply {
	const [address = 1] = words;
	// The chip's CPU reads words from their boundaries only.
	if (body.length !== 4 || address % 4 !== 0) return failed(error);
	return { error: 0, value: registers.read(address) };
}

export function writeRegisters(registers: Registers, { body }: Request, error: number): Reply {
	if (body.length === 0 || body.length % WRITE_LENGTH !== 0) return failed(error);
	const view = new DataView(body.buffer, body.byteOffset, body.length);
	for (let at = 0; at < body.length; at += WRITE_LENGTH) {
		const [address, value, mask] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true));
		registers.write(address ?? 0, value ?? 0, mask ?? 0);
	}
	return done;
}
