/** What eboot and our own boot loader say, in words. */

/** By the number behind `cp:`; those below 10 are eboot's too (boot/boot.h). */
const copyResults: Readonly<Record<number, string>> = {
	0: "the update is in its place",
	1: "update refused: it does not lie on sectors",
	2: "the flash failed: a sector was not erased",
	3: "the flash failed: it could not be read",
	4: "the flash failed: it does not hold what was written",
	5: "update refused: the header of its gzip is damaged",
	6: "update refused: its gzip is damaged",
	10: "update refused: the flash has no such place for it",
	11: "update refused: it is no application's image, or a damaged one",
	12: "update refused: no room for what it is to become",
	13: "update refused: it is not what was intended, by its CRC",
	14: "update refused: the second stage of the boot loader is missing, flash the firmware by cable",
};

/** Behind `~` (nothing was told through RTC memory) or `@` (something was). */
const lines: readonly (readonly [pattern: RegExp, meaning: string])[] = [
	[/[~@]ld$/, "the boot loader starts the application"],
	[/(^|[~@])cp:B?$/, "the boot loader brings an update to its place"],
	[/^[~@]?back$/, "the boot loader brings the firmware back that was there before"],
	[
		/no application, flash me$/,
		"the flash has nothing to start: ota8266 flash FILE --port PORT brings a firmware",
	],
];

export function ofBootLoader(line: string): string[] {
	// eboot says B where its own sector stays as it is.
	const [, number] = /(?:^|[~@])cp:B?(\d+)$/.exec(line) ?? [];
	const result = number === undefined ? undefined : copyResults[Number(number)];
	if (result !== undefined) return [result];
	return lines.filter(([pattern]) => pattern.test(line)).map(([, meaning]) => meaning);
}

/** What a line goes on from that came in two pieces: between them an update is installed, for seconds. */
export function unfinished(line: string): string {
	return /(?:^|[~@])cp:B?$/.exec(line)?.[0] ?? "";
}
