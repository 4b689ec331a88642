/** The loader's arithmetic: 32 bits without a sign. */
import { SECTOR } from "../../../ota/image";

/** No flash is larger, and no address has more bits. */
export const FLASH_MAX = 0x1000000;

/** To whole sectors. */
export function roundUp(length: number): number {
	return ((length + SECTOR - 1) & ~(SECTOR - 1)) >>> 0;
}

/** Whether `length` bytes from `address` on lie in `size` bytes from `start` on. */
export function isInside(address: number, length: number, start: number, size: number): boolean {
	const offset = (address - start) >>> 0;
	return offset <= size && length <= size - offset;
}
