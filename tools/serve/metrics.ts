/** Figures for Prometheus, in its text format 0.0.4. */
import type { SeenDevices } from "./seen-devices";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** Version texts are the devices': more of them would be as many time series. The rarest are told together. */
const VERSIONS_MAX = 100;

type Samples = Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>;

export class Metrics {
	downloadsRunning = 0;
	#bytes = 0;
	readonly #byStatus = new Map<number, number>();

	/** An answer is over; `status` 0 where there was none. */
	count(status: number, bytes: number): void {
		this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
		this.#bytes += bytes;
	}

	text({ seen, images, linesLost }: { seen: SeenDevices; images: number; linesLost: number }): string {
		const byStatus = [...this.#byStatus].sort(([a], [b]) => a - b);
		return [
			metric("ota8266_requests_total", "counter", "Requests by the status of their answer.", [
				...byStatus.map(([status, count]) => [{ status: String(status) }, count] as const),
			]),
			metric("ota8266_sent_bytes_total", "counter", "Bytes of bodies sent.", [[{}, this.#bytes]]),
			metric("ota8266_downloads_running", "gauge", "Downloads that are under way.", [
				[{}, this.downloadsRunning],
			]),
			metric("ota8266_devices", "gauge", "Devices seen since the start, by the version they run.", [
				...byVersion(seen),
			]),
			metric("ota8266_images", "gauge", "Images that are whole.", [[{}, images]]),
			metric("ota8266_log_lines_lost_total", "counter", "Lines of the log that nobody took.", [
				[{}, linesLost],
			]),
		].join("");
	}
}

function* byVersion(seen: SeenDevices): Samples {
	const counts = new Map<string, number>();
	for (const { version } of seen.all()) counts.set(version, (counts.get(version) ?? 0) + 1);
	const sorted = [...counts].sort(([, a], [, b]) => b - a);
	for (const [version, count] of sorted.slice(0, VERSIONS_MAX)) yield [{ version }, count];
	const others = sorted.slice(VERSIONS_MAX);
	if (others.length > 0) yield [{ others: "true" }, others.reduce((sum, [, count]) => sum + count, 0)];
}

function metric(name: string, type: string, help: string, samples: Samples): string {
	let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
	for (const [labels, value] of samples) {
		const pairs = Object.entries(labels).map(([label, content]) => `${label}="${escapeLabel(content)}"`);
		text += `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
	}
	return text;
}

function escapeLabel(text: string): string {
	return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
