/** Numbers as the CSV of a partition table has them. */

const SUFFIXES: ReadonlyMap<string, number> = new Map([
	["k", 0x400],
	["m", 0x100000],
]);

/** Decimal, 0x, 0o or 0b, with K or M behind it, and a sign; undefined for anything else. 010 is nothing: it may be meant as 8. */
export function parseNumber(text: string): number | undefined {
	const match = /^([+-]?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0+|[1-9][0-9]*)\s*([km]?)$/i.exec(text);
	if (!match) return undefined;
	const [, sign, digits, suffix = ""] = match;
	const value = Number(digits) * (SUFFIXES.get(suffix.toLowerCase()) ?? 1);
	// No minus before a zero.
	return sign === "-" && value !== 0 ? -value : value;
}

/** The shortest way to write a size: 1M, 64K, 0x123. */
export function sizeNumber(size: number): string {
	for (const [suffix, factor] of [...SUFFIXES].reverse()) {
		if (size % factor === 0) return `${size / factor}${suffix.toUpperCase()}`;
	}
	return hex(size);
}

export function hex(value: number): string {
	return `0x${value.toString(16)}`;
}

/** As an address in the flash, six digits at least. */
export function flashAddress(value: number): string {
	return `0x${value.toString(16).padStart(6, "0")}`;
}
