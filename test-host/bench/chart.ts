/** The bar chart of the README: a bar for each row, its phases one behind the other. SVG, made of text alone. */
import type { Result } from "./matrix";
import { conditionName } from "./rows";

const WIDTH = 960;
const LEFT = 330;
const RIGHT = 70;
const TOP = 84;
const STEP = 26;
const BAR = 18;
/** Seconds between two lines of the grid. */
const GRID = 5;

/** In their order, with colours that tell apart on white and on black, to the colour-blind too. */
const phases = [
	["transfer", "transfer", "#3b82c4"],
	["verification", "verification and pauses", "#c9a227"],
	["copy", "copy by the boot loader", "#c4623b"],
	["start", "start and Wi-Fi", "#8a8f98"],
] as const;

/** Results of one condition. */
export function chart(results: readonly Result[]): string {
	const [first] = results;
	if (!first) throw new Error("nothing to draw");
	const longest = Math.max(...results.map(({ total }) => total));
	const scale = (WIDTH - LEFT - RIGHT) / longest;
	const bottom = TOP + results.length * STEP;
	const height = bottom + 34;
	const title = `Seconds that an update takes, ${conditionName(first.condition)}`;
	const description = results.map(({ row, total }) => `${plain(row.name)}: ${total.toFixed(1)} s`).join("; ");
	const lines = [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description" font-family="system-ui,sans-serif" font-size="13">`,
		`<title id="title">${title}</title>`,
		`<desc id="description">${description}</desc>`,
		"<style>text{fill:#1f2328}.grid{stroke:#d1d9e0}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}.back{fill:#0d1117}}</style>",
		`<rect class="back" width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
		`<text x="16" y="28" font-size="16" font-weight="600">${title}</text>`,
	];
	let x = 16;
	for (const [, name, colour] of phases) {
		lines.push(`<rect x="${x}" y="44" width="14" height="14" fill="${colour}"/>`);
		lines.push(`<text x="${x + 20}" y="56">${name}</text>`);
		x += 50 + name.length * 7;
	}
	for (let time = 0; time <= longest; time += GRID) {
		const at = round(LEFT + time * scale);
		lines.push(`<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom}"/>`);
		lines.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle">${time} s</text>`);
	}
	for (const [i, result] of results.entries()) lines.push(...bar(result, TOP + i * STEP, scale));
	return `${lines.join("\n")}\n</svg>\n`;
}

function bar(result: Result, y: number, scale: number): string[] {
	const name = plain(result.row.name);
	const lines = [`<text x="${LEFT - 10}" y="${y + 14}" text-anchor="end">${name}</text>`];
	let x = LEFT;
	for (const [phase, , colour] of phases) {
		const width = result[phase] * scale;
		lines.push(`<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${BAR}" fill="${colour}"/>`);
		x += width;
	}
	lines.push(`<text x="${round(x + 6)}" y="${y + 14}">${result.total.toFixed(1)} s</text>`);
	return lines;
}

/** Without Markdown's marks, and with XML's. */
function plain(text: string): string {
	return text.replaceAll("`", "").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function round(value: number): string {
	return value.toFixed(1);
}
