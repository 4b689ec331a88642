/** What the board tells of itself: as JSON for tools and the update page, as a page for people. */
import type { Board } from "../board";
import type { UpdateKind } from "../kind";
import type { RunningFirmware } from "../running";
import type { Updater } from "../updater";

export interface StatusSources {
	board: Board;
	running: RunningFirmware;
	updater: Updater;
}

/** `GET /status`: sizes in bytes, `uptime` in seconds, the update's `ms` in milliseconds. */
export function statusJSON({ board, running, updater }: StatusSources): string {
	return JSON.stringify({
		name: running.name,
		version: running.version,
		chipId: board.chipId.toString(16).padStart(6, "0"),
		mac: board.stationMAC,
		flashSize: board.flashSize,
		runningSize: running.size,
		runningMD5: running.md5 ?? null,
		freeSpace: { firmware: roomFor("firmware", updater), filesystem: roomFor("filesystem", updater) },
		gzip: updater.inflates,
		freeHeap: board.freeHeap,
		resetReason: board.resetReason,
		uptime: Math.floor(board.uptime / 1000),
		update: updater.last ?? null,
	});
}

/** `GET /`: a small page, which links to the update page at `path`. */
export function statusPage(sources: StatusSources, path: string): string {
	const { board, running, updater } = sources;
	const { last } = updater;
	const title = escapeHTML(running.name || "ESP8266");
	let rows = row("Version", running.version || "unknown");
	rows += row("Chip", `${board.chipId.toString(16).padStart(6, "0")}, ${board.stationMAC}`);
	rows += row("Flash", `${board.flashSize} bytes`);
	rows += row("Firmware", `${running.size} bytes, MD5 ${running.md5 ?? "not computed yet"}`);
	rows += row("Room for an update", `${roomFor("firmware", updater)} bytes`);
	rows += row("Free heap", `${board.freeHeap} bytes`);
	rows += row("Started by", board.resetReason);
	rows += row("Up for", `${Math.floor(board.uptime / 1000)} s`);
	if (last) {
		const result = last.error ? `${last.result}: ${last.error.text}` : last.result;
		rows += row(
			"Last update",
			`${last.kind} from ${last.from}: ${result} (${last.bytes} bytes, ${last.ms} ms)`,
		);
	}
	return `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">\
<title>${title}</title><style>:root{color-scheme:light dark;font:1rem/1.5 system-ui}body{max-width:42rem;margin:2rem auto;\
padding:0 1rem}dt{font-weight:600}dd{margin:0 0 .6rem;overflow-wrap:anywhere}</style>\
<h1>${title}</h1><dl>${rows}</dl><p><a href="${escapeHTML(path)}">Update</a></p></html>`;
}

/** None where the flash cannot be opened: the layout is for a larger one. */
function roomFor(kind: UpdateKind, updater: Updater): number {
	try {
		return updater.freeSpace(kind);
	} catch {
		return 0;
	}
}

function row(name: string, value: string): string {
	return `<dt>${name}<dd>${escapeHTML(value)}`;
}

function escapeHTML(text: string): string {
	let escaped = "";
	for (const character of text) {
		if (character === "&") escaped += "&amp;";
		else if (character === "<") escaped += "&lt;";
		else if (character === '"') escaped += "&quot;";
		else escaped += character;
	}
	return escaped;
}
