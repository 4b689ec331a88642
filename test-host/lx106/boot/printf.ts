/** The mask ROM's printf, as far as boot code uses it. */
import type { MachineMemory } from "./memory";

/** The text of a format at an address in data RAM, with its arguments: %d, %u, %x, %08x, %c. */
export function formatted(memory: MachineMemory, format: number, values: readonly number[]): string {
	let text = "";
	for (let at = format, byte = memory.l8(at); byte !== 0; byte = memory.l8(++at)) {
		text += String.fromCharCode(byte);
	}
	let next = 0;
	return text.replace(/%(0\d+)?([duxc])/g, (_, width: string | undefined, kind: string) => {
		const value = values[next++] ?? 0;
		if (kind === "c") return String.fromCharCode(value & 0xff);
		const digits = kind === "d" ? String(value) : (value >>> 0).toString(kind === "x" ? 16 : 10);
		return digits.padStart(Number(width ?? 0), "0");
	});
}
