/** The script of the page at /update. */
import { createCard, sleep } from "./card";
import { readStatus } from "./status";
import { find } from "./text";

/** Between two looks whether another's update is over, ms: the board is busy with it. */
const WATCH_INTERVAL = 3_000;
/** So often without an answer, then it is given up. */
const WATCH_MISSES = 20;

/** Whether this is a captive portal's window, or another one that cannot choose files. */
function cannotChoose(): boolean {
	const agent = navigator.userAgent;
	const { disabled, files } = find<HTMLInputElement>("input");
	// Windows of iOS that are no browser do not say Safari.
	return /; wv\)|CaptiveNetworkSupport|AppleWebKit(?!.*Safari\/)/.test(agent) || disabled || !files;
}

let busy = false;
const setBusy = (value: boolean) => {
	busy = value;
	for (const card of cards) card.disable(value);
};
const cards = [createCard("firmware", setBusy), createCard("filesystem", setBusy)];

/** Shows the status; while another's update runs, nothing can be sent. */
async function watch(): Promise<void> {
	let watching = false;
	for (let misses = 0; misses < WATCH_MISSES; ) {
		const reading = await readStatus();
		// An update of ours has begun meanwhile.
		if (busy && !watching) return;
		watching = reading ? reading.status.update?.result === "running" : watching;
		setBusy(watching);
		if (!watching) {
			// A file may be there already: chosen early, or kept over a reload.
			for (const card of cards) card.choose();
			if (!reading)
				find("#news").textContent = "The board does not tell its status. You can send a file all the same.";
			return;
		}
		misses = reading ? 0 : misses + 1;
		await sleep(WATCH_INTERVAL);
	}
	setBusy(false);
}

document.documentElement.className = "js";
if (cannotChoose()) {
	const portal = find("#portal");
	const main = find("main");
	main.className = "portal";
	find("code").textContent = location.href;
	find<HTMLButtonElement>("button", portal).onclick = () => {
		main.className = "";
	};
}
setBusy(false);
// A file that misses its place would replace the page.
window.ondragover = window.ondrop = (event) => event.preventDefault();
window.onbeforeunload = (event) => {
	if (find(".busy")) event.preventDefault();
};
void watch();
