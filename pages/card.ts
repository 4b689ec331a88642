/** One of the two forms: takes a file, sends it, and waits until the board runs it. */
import { md5 } from "./md5";
import { refusal } from "./refusal";
import { errorOf, type Kind, latest, type Reading, readStatus, restarted, type Status } from "./status";
import { find, grouped, size } from "./text";
import { type Answer, upload } from "./upload";

export interface Card {
	/** Shows the chosen file, or how much there is room for. */
	choose(): void;
	disable(value: boolean): void;
}

const STATUS_INTERVAL = 1_000;
/** From the restart to an answer, ms. eboot copies 1 MB in about 10 s, and Wi-Fi takes about as long. */
const RESTART_TIMEOUT = 60_000;
/** The speed is that of the last so many ms. */
const SPEED_WINDOW = 4_000;

/** What to do, by the HTTP status. */
const ADVICE: Readonly<Record<number, string>> = {
	401: "Load this page again, sign in, and send the file again.",
	403: "Open this page by the board’s own address, and send the file again.",
	409: "Wait until it is over, then try again.",
	411: "Try another browser: this one does not tell the size.",
	413: "Nothing was changed. Choose a smaller file.",
};

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** `onBusy` is told when an update of this form begins and when it is over. */
export function createCard(kind: Kind, onBusy: (value: boolean) => void): Card {
	const form = find<HTMLFormElement>(`#${kind}`);
	const input = find<HTMLInputElement>("input", form);
	const label = find("label", form);
	const title = find("b", label);
	const hint = find("span", label);
	const bar = find<HTMLProgressElement>("progress", form);
	const line = find("[role]", form);
	const submit = find<HTMLButtonElement>("[type=submit]", form);
	const cancel = find<HTMLButtonElement>("[type=button]", form);
	const emptyTitle = title.textContent;
	const emptyHint = hint.textContent;
	/** What a failed update leaves. A filesystem is written in its place. */
	const untouched = `The firmware that runs is untouched${kind === "firmware" ? "." : "; the filesystem may be incomplete."}`;

	function say(headline: string, text = "", tone = ""): void {
		line.className = tone;
		find("b", line).textContent = headline;
		find("span", line).textContent = text;
	}

	const complain = (headline: string, text = "") => say(headline, text, "bad");

	/** The file's bytes, or the first of them; undefined, with a complaint, when it cannot be read. */
	async function read(file: Blob): Promise<Uint8Array<ArrayBuffer> | undefined> {
		try {
			return new Uint8Array(await file.arrayBuffer());
		} catch {
			// Else the same file could not be chosen again.
			clear();
			complain("This file cannot be read.", "If it was built anew since you chose it, choose it again.");
			return;
		}
	}

	function clear(): void {
		input.value = "";
		void choose();
	}

	async function choose(): Promise<void> {
		const file = input.files?.[0];
		label.classList.toggle("full", !!file);
		title.textContent = file ? file.name : emptyTitle;
		hint.textContent = file ? size(file.size) : emptyHint;
		say("", latest ? `Room for ${size(latest.status.freeSpace[kind])}.` : "");
		const head = file && (await read(file.slice(0, 2)));
		// Sent meanwhile, or another one chosen.
		if (!head || input.disabled || file !== input.files?.[0]) return;
		const why = refusal(kind, file.size, head);
		if (why) complain(...why);
		else say("Ready to send.");
	}

	async function update(): Promise<void> {
		const file = input.files?.[0];
		if (!file) return complain("Choose a file first.");
		const bytes = await read(file);
		if (!bytes) return;
		const why = refusal(kind, bytes.length, bytes);
		if (why) return complain(...why);
		const reading = await readStatus();
		const total = bytes.length;
		const start = performance.now();
		// Without a status: it has been running since now at least.
		const before = reading ?? latest ?? { status: { uptime: 0 } as Status, at: start };
		const samples: [at: number, sent: number][] = [[start, 0]];
		const digest = md5(bytes);
		say("Sending…", "Keep this page open.");
		const answer = await upload(
			kind,
			bytes,
			digest,
			(sent) => {
				const now = performance.now();
				while (samples[1] && samples[1][0] < now - SPEED_WINDOW) samples.shift();
				samples.push([now, sent]);
				const [at, first] = samples[0] ?? [start, 0];
				// Bytes in a millisecond are KB in a second.
				const speed = (sent - first) / (now - at + 1);
				bar.value = sent / total;
				hint.textContent = `${grouped(Math.round(sent / 1000))} of ${size(total)}, ${Math.round(speed)} KB/s`;
				if (speed) hint.textContent += `, ${Math.ceil((total - sent) / speed / 1000)} s left`;
				if (sent === total) {
					// From here on the board may restart, whatever becomes of this connection.
					cancel.disabled = true;
					wait("All sent.", "The board verifies it.");
				}
			},
			(stop) => {
				cancel.onclick = stop;
				cancel.disabled = false;
				cancel.focus();
			},
		);
		cancel.disabled = true;
		hint.textContent = size(total);
		if (await judge(answer, total)) await awaitRestart(before, bytes[0] === 0xe9 ? digest : "");
	}

	function wait(headline: string, text: string): void {
		bar.removeAttribute("value");
		say(headline, text);
	}

	/** Tells what the board answered. Gives whether it restarts. */
	async function judge({ code, text, cancelled, sent }: Answer, total: number): Promise<boolean> {
		if (cancelled) say("Cancelled.", untouched);
		else if (!code && sent < total) {
			// The board may have said why, but not been heard.
			const status = (await readStatus())?.status;
			const why = status?.update?.result === "failed" ? errorOf(status) : "";
			complain(
				"The connection was lost.",
				`${why} ${size(sent)} of ${size(total)} were sent. ${untouched} Try again.`,
			);
		} else if (!code) wait("No answer.", "The board has all of it, and may be restarting.");
		else if (code !== 200 || /error/i.test(text))
			complain("Not updated.", `${text || `HTTP ${code}`}. ${ADVICE[code] ?? untouched}`);
		else if (/reboot/i.test(text)) {
			wait("Sent and verified.", "The board restarts. Keep this page open.");
			return true;
		} else say(text, "", "good");
		return !code && !cancelled && sent === total;
	}

	async function awaitRestart(before: Reading, digest: string): Promise<void> {
		const start = performance.now();
		let asked = start;
		let now: Reading | undefined;
		while (asked - start < RESTART_TIMEOUT) {
			await sleep(STATUS_INTERVAL);
			asked = performance.now();
			hint.textContent = `Waiting for the board: ${Math.round((asked - start) / 1000)} s`;
			now = await readStatus();
			if (now && restarted(before, now.status, asked)) return welcome(before.status, now.status, digest);
		}
		if (now) complain("The board has not restarted.", "Press its reset button, then load this page again.");
		else
			complain(
				"The board has not come back.",
				"Is it on, and are you in its network? Its address may have changed. Then load this page again.",
			);
	}

	function welcome(before: Status, now: Status, digest: string): void {
		const { version, runningMD5, update } = now;
		const result = update?.result ?? "";
		const changed = before.version && before.version !== version;
		// Another MD5 says nothing: the board may change the byte of the flash mode, and a file may have a tail.
		const same = runningMD5 === digest;
		clear();
		if (/^(did|fail)/.test(result))
			complain(`The update ${result}.`, `${errorOf(now)} Version ${version} runs.`);
		else
			say(
				changed ? `Version ${before.version} → ${version}` : `Version ${version} runs.`,
				changed || same || result || kind === "filesystem"
					? `The board has restarted with the new ${kind}.${same ? " Its MD5 is that of your file." : ""}`
					: "The board has restarted. It tells the same version as before.",
				"good",
			);
	}

	form.noValidate = true;
	input.onchange = choose;
	form.onsubmit = async (event) => {
		event.preventDefault();
		bar.value = 0;
		form.className = "busy";
		onBusy(true);
		await update();
		form.className = "";
		onBusy(false);
		submit.focus({ preventScroll: true });
	};
	form.ondragover = () => label.classList.add("over");
	form.ondragleave = () => label.classList.remove("over");
	form.ondrop = ({ dataTransfer }) => {
		label.classList.remove("over");
		if (input.disabled || !dataTransfer?.files.length) return;
		input.files = dataTransfer.files;
		void choose();
	};
	return {
		choose,
		disable(value) {
			input.disabled = submit.disabled = value;
		},
	};
}
