const SEPARATORS = ";, \t";

/**
 * The value of a parameter in a header such as `form-data; name="firmware"`, `multipart/form-data; boundary=x`
 * or `Digest username="admin", nc=00000001`: quoted or not, its name in any case; undefined where it is absent
 * or a quote does not end. The first of two counts. (RFC 9110, section 5.6)
 */
export function parameter(header: string, name: string): string | undefined {
	const { length } = header;
	for (let at = 0; at < length; ) {
		while (at < length && SEPARATORS.includes(header.charAt(at))) at += 1;
		const start = at;
		while (at < length && header.charAt(at) !== "=" && !SEPARATORS.includes(header.charAt(at))) at += 1;
		const matches = at - start === name.length && header.slice(start, at).toLowerCase() === name;
		// A word without a value: what the header is of.
		if (header.charAt(at) !== "=") continue;
		at += 1;
		let value = "";
		if (header.charAt(at) === '"') {
			const quote = at + 1;
			for (at = quote; at < length && header.charAt(at) !== '"'; at++)
				if (header.charAt(at) === "\\") at += 1;
			if (at >= length) return undefined;
			if (matches) value = unquote(header.slice(quote, at));
			at += 1;
		} else {
			const first = at;
			while (at < length && !SEPARATORS.includes(header.charAt(at))) at += 1;
			if (matches) value = header.slice(first, at);
		}
		if (matches) return value;
	}
	return undefined;
}

/** A quoted text without its backslashes: each stands for the character behind it. */
function unquote(quoted: string): string {
	let text = quoted;
	for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at + 1)) {
		text = text.slice(0, at) + text.slice(at + 1);
	}
	return text;
}
