/** In the place of shims/flash.ts: the same flash, of which a row may have it that it looks at nothing before it works. */
import type { Flash } from "embedded:storage/flash";
import hostFlash from "../../shims/flash";
import { machine } from "../machine";

export default Object.freeze({
	open(options: { path: string; mode?: string; format?: string }): Flash {
		const flash = hostFlash.open(options) as unknown as Flash;
		const { savings } = machine();
		if (!savings.includes("equal")) flash.equals = () => false;
		if (!savings.includes("erased")) flash.isErased = () => false;
		return flash;
	},
	[Symbol.iterator]: () => hostFlash[Symbol.iterator](),
});
