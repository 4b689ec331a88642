/**
 * Reads WWW-Authenticate (RFC 9110, section 11.6.1): challenges with their parameters, several in one header,
 * where a comma stands between challenges as well as between parameters.
 */

export interface Challenge {
	/** Lower-case, as `digest`. */
	scheme: string;
	/** By lower-case name; values without their quotes and escapes. */
	params: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const GAP = /[ \t,]*/y;
const SPACES = /[ \t]*/y;
/** A parameter's name is followed by `=`, a scheme's never. */
const SCHEME = new RegExp(`${TOKEN}(?=[ \\t,]|$)`, "y");
const PARAMETER = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`, "sy");
/** What Negotiate and the like have in place of parameters. */
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;

/** The challenges of one header, in their order. What follows a fault is left out: half a header may do. */
export function parseChallenges(header: string): Challenge[] {
	let at = 0;
	const scan = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = at;
		const match = pattern.exec(header);
		if (match) at = pattern.lastIndex;
		return match;
	};
	const challenges: Challenge[] = [];
	for (;;) {
		scan(GAP);
		const scheme = scan(SCHEME)?.[0];
		if (scheme === undefined) return challenges;
		const params = new Map<string, string>();
		scan(SPACES);
		let parameter = scan(PARAMETER);
		if (!parameter) scan(TOKEN68);
		while (parameter) {
			const [, name = "", quoted, token] = parameter;
			params.set(name.toLowerCase(), quoted?.replace(/\\(.)/gs, "$1") ?? token ?? "");
			scan(GAP);
			parameter = scan(PARAMETER);
		}
		challenges.push({ scheme: scheme.toLowerCase(), params });
	}
}
