/** The page for people: devices seen, images offered. */
import type { FolderEntry, Offer } from "./offer";
import type { SeenDevice, SeenDevices } from "./seen-devices";

/** The page has no script, loads nothing, and is nobody's frame. */
export const PAGE_HEADERS = {
	"Content-Type": "text/html; charset=utf-8",
	"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
	"X-Content-Type-Options": "nosniff",
	"Cache-Control": "no-store",
};
/** Rows of each table; more are counted. */
const ROWS_MAX = 500;

const STYLE = `body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3em .8em .3em 0; border-bottom: 1px solid #ccc; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.fault { color: #b00; }
.newest { font-weight: bold; }`;

export function page(offer: Offer, seen: SeenDevices): string {
	const devices = seen.all();
	const images = [...offer.entries].reverse();
	return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ota8266</title>
<style>${STYLE}</style>
<h1>ota8266</h1>
<h2>Devices seen: ${devices.length}</h2>
${table(["MAC", "Channel", "App", "Version", "Last seen", "Last result", "Free space"], devices.map(deviceRow))}
<h2>Images: ${images.length}</h2>
${table(
	["Channel", "App", "Version", "File", "Bytes", "MD5", ""],
	images.map((entry) => imageRow(entry, offer)),
)}
</html>
`;
}

function deviceRow(device: SeenDevice): string {
	const { mac, channel, app, version, lastSeen, lastResult, freeSpace } = device;
	const time = new Date(lastSeen).toISOString().replace("T", " ").slice(0, 19);
	return `${cells(mac, channel, app, version, `${time} UTC`, lastResult)}${number(freeSpace)}`;
}

function imageRow(entry: FolderEntry, offer: Offer): string {
	const { channel, app, version, kind, file, image, fault } = entry;
	const newest = offer.newest(channel, kind, app);
	const isSent = image !== undefined && (newest?.raw === image || newest?.gzip === image);
	const state = fault
		? `<td class="fault">${escapeHtml(fault)}`
		: isSent
			? '<td class="newest">newest'
			: "<td>";
	return `${cells(channel, app, version.text, file)}${number(image?.size)}${cells(image?.md5 ?? "")}${state}`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
	const shown = rows.slice(0, ROWS_MAX).map((row) => `<tr>${row}\n`);
	const more = rows.length > ROWS_MAX ? `<p>and ${rows.length - ROWS_MAX} more` : "";
	return `<table>\n<tr>${heads.map((head) => `<th>${head}`).join("")}\n${shown.join("")}</table>${more}`;
}

function cells(...texts: readonly string[]): string {
	return texts.map((text) => `<td>${escapeHtml(text)}`).join("");
}

function number(value: number | undefined): string {
	return `<td class="n">${value === undefined ? "" : value.toLocaleString("en")}`;
}

const entities: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#39;",
};

export function escapeHtml(text: string): string {
	return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
