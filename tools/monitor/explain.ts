/** What a chip's lines about resets and crashes mean, in words. */
import { ofBootLoader } from "./boot-loader-lines";
import type { Symbols } from "./symbols";

/** Exceptions of the lx106, by their number. */
const exceptions: readonly (readonly [name: string, meaning?: string])[] = [
	["IllegalInstruction", "not an instruction: a wild jump, or a panic of the SDK's"],
	["Syscall", "a system call, which nothing here makes"],
	["InstructionFetchError", "code was fetched where there is none"],
	["LoadStoreError", "bytes were read in memory that knows only words: flash, or instruction RAM"],
	["Level1Interrupt"],
	["Alloca"],
	["IntegerDivideByZero", "a division by zero"],
	["reserved"],
	["Privileged"],
	["LoadStoreAlignment", "a word was accessed that is not on its boundary"],
	["reserved"],
	["reserved"],
	["InstrPIFDataError"],
	["LoadStorePIFDataError"],
	["InstrPIFAddrError"],
	["LoadStorePIFAddrError"],
	["InstTLBMiss"],
	["InstTLBMultiHit"],
	["InstFetchPrivilege"],
	["reserved"],
	["InstFetchProhibited", "code was fetched where none may be: a call through a bad pointer"],
	["reserved"],
	["reserved"],
	["reserved"],
	["LoadStoreTLBMiss"],
	["LoadStoreTLBMultiHit"],
	["LoadStorePrivilege"],
	["reserved"],
	["LoadProhibited", "read through a bad pointer, at excvaddr"],
	["StoreProhibited", "written through a bad pointer, at excvaddr"],
];

const resetCauses: readonly string[] = [
	"unknown",
	"power-up",
	"reset pin, or wake from deep sleep",
	"software",
	"watchdog",
];

/** By the strapping pins' number; 4 to 7 all start from an SD card. */
const bootModes: ReadonlyMap<number, string> = new Map([
	[1, "the serial loader: FLASH is held, or was when the chip last was reset from outside"],
	[3, "the flash"],
]);
const SD_CARD = "an SD card: GPIO 15 is high, which should be low";

/** What ends the engine, by its words behind "XS abort:". */
const aborts: readonly (readonly [pattern: RegExp, meaning: string])[] = [
	[/memory full/, "XS has used all of its memory (creation.static in the manifest)"],
	[/native stack overflow/, "the C stack is full"],
	[/stack overflow/, "XS's stack is full (creation.stack in the manifest)"],
	[/dead strip/, "a part of the language is used that the manifest strips"],
	[/not enough keys/, "too many names for creation.keys in the manifest"],
	[/too much computation/, "a turn of the event loop took too long"],
	[/unhandled/, "nobody caught an exception"],
];

/** Where code lies: in instruction RAM and ROM, or mapped from flash. */
const CODE = /\b(?:0x)?(40[0-2][0-9a-f]{5})\b/gi;
/** Lines in which addresses are worth a look. */
const CRASH = /epc1=|ctx:|^[0-9a-f]{8}:(\s+[0-9a-f]{8})+|Backtrace|^\s*(PC|A0)\s*:/i;

/** What can be said of a line; most say enough themselves. */
export function explain(line: string, symbols?: Symbols): string[] {
	return [
		...ofReset(line),
		...ofBootLoader(line),
		...ofException(line),
		...ofAbort(line),
		...ofAddresses(line, symbols),
	];
}

function ofReset(line: string): string[] {
	const [, cause, mode] = /rst cause:(\d+), boot mode:\((\d+),/.exec(line) ?? [];
	if (cause === undefined || mode === undefined) return [];
	const number = Number(mode);
	const from = bootModes.get(number) ?? (number >= 4 ? SD_CARD : "nothing that is used");
	return [`reset: ${resetCauses[Number(cause)] ?? "unknown"}; starts from ${from}`];
}

function ofException(line: string): string[] {
	const [, number] = /exception \(?(\d+)\b/i.exec(line) ?? [];
	const found = number === undefined ? undefined : exceptions[Number(number)];
	if (!found) return [];
	const [name, meaning] = found;
	return [meaning === undefined ? name : `${name}: ${meaning}`];
}

function ofAbort(line: string): string[] {
	if (!/XS abort:|Fatal exception: \D/.test(line)) return [];
	return aborts
		.filter(([pattern]) => pattern.test(line))
		.map(([, meaning]) => meaning)
		.slice(0, 1);
}

function ofAddresses(line: string, symbols: Symbols | undefined): string[] {
	if (!symbols || !CRASH.test(line)) return [];
	const found = [...line.matchAll(CODE)].map(([, digits = ""]) => Number.parseInt(digits, 16));
	return [...new Set(found)].flatMap((address) => {
		const name = symbols.find(address);
		return name === undefined ? [] : [`0x${address.toString(16)} is ${name}`];
	});
}
