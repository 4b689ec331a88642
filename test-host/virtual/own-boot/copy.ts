/** Brings a result to its place: boot/copy.c. */
import { SECTOR } from "../../../ota/image";
import { BLOCK_SIZE } from "../nor";
import { type From, type Job, Result } from "./job";
import type { Loader } from "./loader";
import { roundUp } from "./numbers";

const bits = new Uint32Array(1);
const bytes = new Uint8Array(bits.buffer);

/** Looks at it there: OK or WRITE. */
export function copy(loader: Loader, job: Job, from: From): Result {
	const { content } = loader;
	const isCopied = content.each(job, from, (_, offset) => bring(loader, job, offset)) === Result.OK;
	return isCopied && content.check(job, "destination") === Result.OK ? Result.OK : Result.WRITE;
}

function bring({ flash, sector }: Loader, job: Job, offset: number): boolean {
	const address = (job.destination + offset) >>> 0;
	const left = (roundUp(job.length) - offset) >>> 0;
	const isBlock = !job.overlaps && address % BLOCK_SIZE === 0 && left >= BLOCK_SIZE;
	if (!sector.write(address, isBlock)) return false;
	const i = offset / SECTOR;
	const place = job.progress + 4 * (i >> 5);
	const bit = 1 << (i & 31);
	flash.readInto(place, bytes);
	const held = bits[0] ?? 0;
	if (held & bit) {
		bits[0] = held & ~bit;
		flash.write(place, bytes);
	}
	return true;
}
