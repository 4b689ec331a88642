/** The SDK's module `net`, of a chip that has this machine's network and no Wi-Fi. */
import { chip } from "../virtual/chip";

const LOCAL = "127.0.0.1";
/** What the chip says where it has no Wi-Fi. */
const NO_SIGNAL = 31;

// biome-ignore lint/complexity/noStaticOnlyClass: what the SDK exports
export default class Net {
	static get(...wanted: readonly unknown[]): string | string[] | number | undefined {
		if (wanted.length === 0) throw new SyntaxError("no property");
		const property = `${wanted[0]}`;
		const elsewhere = wanted.length > 1 && `${wanted[1]}` === "ap";
		switch (property) {
			case "IP":
				return elsewhere ? undefined : LOCAL;
			case "MAC":
				return elsewhere
					? undefined
					: Buffer.from(chip().mac).toString("hex").replace(/..\B/g, "$&:").toUpperCase();
			case "DNS":
				return [LOCAL];
			case "RSSI":
				return NO_SIGNAL;
			default:
				return undefined;
		}
	}
}
