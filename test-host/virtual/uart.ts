/** The serial line as boot code uses it, and the texts that it formats. */

/** Takes what the board prints. */
export type Print = (text: string) => void;

/** The ROM's printf: sends a carriage return before each line feed. (Its putc does not: call `print` itself.) */
export function printf(print: Print, text: string): void {
	print(text.replaceAll("\n", "\r\n"));
}

/** printf's %08x. */
export function hex32(value: number): string {
	return (value >>> 0).toString(16).padStart(8, "0");
}

/** printf's 0x%02x. */
export function hex8(value: number): string {
	return `0x${value.toString(16).padStart(2, "0")}`;
}

/** Exceptions of the CPU that boot code can run into, by their number. */
export const Exception = Object.freeze({
	ILLEGAL_INSTRUCTION: 0,
	LOAD_STORE_ALIGNMENT: 9,
	STORE_PROHIBITED: 29,
} as const);

/** What the chip says of an exception: where (`epc1`), and the address that could not be accessed. */
export function printException(print: Print, exception: number, epc1: number, address: number): void {
	const zero = "0x00000000";
	printf(
		print,
		`\nFatal exception (${exception}):\n` +
			`epc1=0x${hex32(epc1)}, epc2=${zero}, epc3=${zero}, excvaddr=0x${hex32(address)}, depc=${zero}\n`,
	);
}
