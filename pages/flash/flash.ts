/** The script of docs/flash: writes a firmware into a board by Web Serial. */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { firmwareParts } from "../../tools/serial/firmware-parts";
import { checkFlashSize, type FoundChip, flash } from "../../tools/serial/flashing";
import { md5 } from "../md5";
import { find, grouped, size } from "../text";
import { readFirmware } from "./firmware";

const form = find<HTMLFormElement>("form");
const input = find<HTMLInputElement>("[type=file]", form);
const label = find("label", form);
const title = find("b", label);
const hint = find("span", label);
const bar = find<HTMLProgressElement>("progress", form);
const line = find("[role]", form);
const submit = find<HTMLButtonElement>("button", form);

/** How messages name the port: the browser does not tell. */
const PORT = "this port";

/** A port that may be unplugged. */
type Port = SerialPort & { lost?: UpdateError | undefined };

function say(headline: string, text = "", tone = ""): void {
	line.className = tone;
	find("b", line).textContent = headline;
	find("span", line).textContent = text;
}

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function choose(): Promise<void> {
	const file = input.files?.[0];
	if (!file) return;
	label.className = "full";
	title.textContent = file.name;
	hint.textContent = size(file.size);
	try {
		await readFirmware(file);
		say("Ready.", "Plug the board in.");
	} catch (error) {
		say("Not this file.", sentence(error), "bad");
	}
}

function found({ description, mac, flashSize }: FoundChip): void {
	find("#board").textContent =
		`${description}, MAC ${mac}, ${flashSize >> 20 || flashSize / (1 << 20)} MiB of flash`;
}

async function write(): Promise<void> {
	const file = input.files?.[0];
	if (!file) return say("Choose a file first.", "", "bad");
	// At once, since the browser asks only while the click is fresh.
	const port = await navigator.serial.requestPort().catch(() => undefined);
	if (!port) return say("No port chosen.", "If none is listed, try another cable: many only charge.", "bad");
	const firmware = await readFirmware(file);
	await flash({
		port: watched(port),
		name: PORT,
		baudRate: Number(find<HTMLSelectElement>("#baud").value),
		erase: find<HTMLSelectElement>("#erase").value !== "",
		parts(chip) {
			checkFlashSize(firmware, chip);
			return firmwareParts(firmware, chip.flashSize);
		},
		md5,
		onStage(stage, chip) {
			if (stage === "found" && chip) found(chip);
			if (stage === "connecting") say("Looking for the board…");
			if (stage === "erasing") say("Erasing…", "This takes up to a minute.");
			if (stage === "writing") say("Writing…", "Keep the cable in and this page open.");
		},
		onProgress(done, total) {
			bar.value = done / total;
			hint.textContent = `${grouped(Math.round(done / 1000))} of ${size(total)}`;
		},
	});
	say("Done.", "The flash holds the firmware, by its MD5. The board restarts.", "good");
}

/** Web Serial tells by an event what esptool-js would wait for. */
function watched(port: Port): Port {
	port.lost = undefined;
	port.addEventListener("disconnect", () => {
		port.lost = new UpdateError(ErrorCode.CABLE_LOST, PORT);
	});
	return port;
}

function busy(value: boolean): void {
	form.className = value ? "busy" : "";
	submit.disabled = input.disabled = value;
}

document.documentElement.className = "js";
if (!("serial" in navigator)) {
	submit.disabled = true;
	const where = isSecureContext ? "in Chrome, Edge or Opera, on a computer" : "from your disk, or by https";
	say("This browser has no Web Serial.", `Open this page ${where}.`, "bad");
}
input.onchange = choose;
form.onsubmit = async (event) => {
	event.preventDefault();
	bar.value = 0;
	busy(true);
	try {
		await write();
	} catch (error) {
		say("Not flashed.", sentence(error), "bad");
	}
	busy(false);
};
form.ondragover = () => label.classList.add("over");
form.ondragleave = () => label.classList.remove("over");
form.ondrop = ({ dataTransfer }) => {
	label.classList.remove("over");
	if (input.disabled || !dataTransfer?.files.length) return;
	input.files = dataTransfer.files;
	void choose();
};
// A file that misses its place would replace the page.
window.ondragover = window.ondrop = (event) => event.preventDefault();
window.onbeforeunload = (event) => {
	if (form.className === "busy") event.preventDefault();
};
