import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { toBase64 } from "../../ota/base64";
import { installGlobals } from "../shims/globals";

beforeAll(installGlobals);

test("Base64 is that of RFC 4648, section 10", () => {
	const texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
	expect(texts.map(toBase64)).toEqual(["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
});

test("a text is taken as UTF-8, as browsers do with a password", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme" }), (text) => {
			expect(toBase64(text)).toBe(Buffer.from(text).toString("base64"));
		}),
	);
});
