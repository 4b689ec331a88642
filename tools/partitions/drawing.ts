/** A drawing of the flash in text, the first byte on top. */
import { flashAddress, sizeNumber } from "./numbers";

export interface Region {
	label: string;
	/** Flash offset of the first byte. */
	offset: number;
	/** Bytes. */
	size: number;
}

const WIDTH = 28;
/** Rows that the whole flash is worth; every region has one at least. */
const ROWS = 16;

/** Regions in any order, apart from each other; what none of them covers is drawn as empty. Lines of text. */
export function drawing(regions: readonly Region[], flashSize: number): string {
	const all = withGaps(
		regions.filter(({ size }) => size > 0),
		flashSize,
	);
	const margin = " ".repeat(flashAddress(flashSize).length);
	const line = (address: number, [left, right]: string) =>
		`${flashAddress(address).padStart(margin.length)} ${left}${"─".repeat(WIDTH)}${right}\n`;
	let text = "";
	for (const [i, { label, offset, size }] of all.entries()) {
		text += line(offset, i === 0 ? "┌┐" : "├┤");
		const rows = Math.max(1, Math.round((ROWS * size) / flashSize));
		for (let row = 0; row < rows; row++) {
			const inside = row === 0 ? ` ${label}` : "";
			const note = row === 0 ? ` ${sizeNumber(size).padStart(6)}` : "";
			text += `${margin} │${inside.padEnd(WIDTH)}│${note}\n`;
		}
	}
	return text + line(flashSize, "└┘");
}

function withGaps(regions: readonly Region[], flashSize: number): Region[] {
	const found: Region[] = [];
	let end = 0;
	const gapUpTo = (offset: number) => {
		if (offset > end) found.push({ label: "", offset: end, size: offset - end });
	};
	for (const region of [...regions].sort((one, other) => one.offset - other.offset)) {
		gapUpTo(region.offset);
		found.push(region);
		end = Math.max(end, region.offset + region.size);
	}
	gapUpTo(flashSize);
	return found;
}
