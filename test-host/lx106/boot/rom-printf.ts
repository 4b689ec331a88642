/** The mask ROM's ets_printf. */

/** Formats as it does: %d %u %x %s %c %%, with a width and zeros. `next` gives the arguments, `text` what one points to. */
export function format(pattern: string, next: () => number, text: (address: number) => string): string {
	return pattern.replace(/%(0?)(\d*)([duxXsc%])|%(.?)/g, (whole, zero, width, conversion) => {
		const pad = (value: string) => value.padStart(Number(width), zero === "0" ? "0" : " ");
		switch (conversion) {
			case "d":
				return pad(String(next() | 0));
			case "u":
				return pad(String(next() >>> 0));
			case "x":
				return pad((next() >>> 0).toString(16));
			case "X":
				return pad((next() >>> 0).toString(16).toUpperCase());
			case "s":
				return pad(text(next() >>> 0));
			case "c":
				return String.fromCharCode(next() & 0xff);
			case "%":
				return "%";
			default:
				throw new RangeError(`ets_printf does not know ${JSON.stringify(whole)}`);
		}
	});
}
