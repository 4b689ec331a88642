/** In the place of shims/flash.ts: the same flash, of which a row may have it that it looks at nothing before it works. */
import type { Flash } from "embedded:storage/flash";
import hostFlash from "../../shims/flash";
import { machine } from "../machine";

/** Says of everything that the flash does not hold it, unless it has just been written: then what is true. */
function neverEqual(flash: Flash): void {
	const write = flash.write.bind(flash);
	const equals = flash.equals.bind(flash);
	let written = false;
	flash.write = (bytes, address) => {
		written = true;
		write(bytes, address);
	};
	flash.equals = (bytes, address) => {
		const isEqual = written && equals(bytes, address);
		written = false;
		return isEqual;
	};
}

export default Object.freeze({
	open(options: { path: string; mode?: string; format?: string }): Flash {
		const flash = hostFlash.open(options) as unknown as Flash;
		const { savings } = machine();
		if (!savings.includes("equal")) neverEqual(flash);
		if (!savings.includes("erased")) flash.isErased = () => false;
		return flash;
	},
	[Symbol.iterator]: () => hostFlash[Symbol.iterator](),
});
