/** Version texts of Semantic Versioning 2.0.0: `1.2.3`, `1.2.3-rc.1`, `1.2.3+build`. */

/** Numbers are kept as digits: without leading zeros they compare by length and then by text, however long. */
export interface Version {
	text: string;
	core: readonly [string, string, string];
	/** Its parts between the dots; empty where it is a release. */
	prerelease: readonly string[];
	/** After the plus sign; does not count for the order, unless nothing else differs. */
	build: string;
}

const NUMBER = /^(0|[1-9][0-9]*)$/;
const SYNTAX = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/;

/** The version, or undefined where the text is none. */
export function parseVersion(text: string): Version | undefined {
	const [, major = "", minor = "", patch = "", prerelease, build = ""] = SYNTAX.exec(text) ?? [];
	const parts = prerelease?.split(".") ?? [];
	const isNumberWrong = (part: string): boolean => /^\d+$/.test(part) && !NUMBER.test(part);
	if (![major, minor, patch].every((part) => NUMBER.test(part))) return undefined;
	if (parts.some((part) => part === "" || isNumberWrong(part))) return undefined;
	if (build !== "" && build.split(".").includes("")) return undefined;
	return { text, core: [major, minor, patch], prerelease: parts, build };
}

/** Below 0 where `a` comes before `b`. 0 for the same text only: what semver leaves open, the build decides. */
export function compareVersions(a: Version, b: Version): number {
	for (const place of [0, 1, 2] as const) {
		const order = compareDigits(a.core[place], b.core[place]);
		if (order !== 0) return order;
	}
	return comparePrerelease(a.prerelease, b.prerelease) || compareText(a.build, b.build);
}

function comparePrerelease(a: readonly string[], b: readonly string[]): number {
	// A release comes after its own prereleases.
	if (a.length === 0 || b.length === 0) return b.length - a.length;
	for (let i = 0; i < a.length && i < b.length; i++) {
		const order = comparePart(a[i] ?? "", b[i] ?? "");
		if (order !== 0) return order;
	}
	return a.length - b.length;
}

function comparePart(a: string, b: string): number {
	const numbers = [a, b].map((part) => NUMBER.test(part));
	if (numbers[0] && numbers[1]) return compareDigits(a, b);
	if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
	return compareText(a, b);
}

function compareDigits(a: string, b: string): number {
	return a.length - b.length || compareText(a, b);
}

/** By code, as semver wants it, whatever the language of this machine. */
function compareText(a: string, b: string): number {
	return a === b ? 0 : a < b ? -1 : 1;
}
