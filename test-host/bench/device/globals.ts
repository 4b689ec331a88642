/** Node's globals as the shims of the SDK's modules use them, in virtual time: the bundle puts these in their place. */
import { machine, now } from "../machine";

class Waiting {
	cancel: (() => void) | undefined;
}

type Callback = (...values: never[]) => void;

function wait(milliseconds: number, callback: Callback, values: unknown[]): Waiting {
	const waiting = new Waiting();
	const call = callback as (...values: unknown[]) => void;
	waiting.cancel = machine().cpu.after(milliseconds * 1000, () => call(...values));
	return waiting;
}

export function setTimeout(callback: Callback, delay = 0, ...values: unknown[]): Waiting {
	// Node's least delay, and the SDK's timers count milliseconds too.
	return wait(Math.max(delay, 0), callback, values);
}

export function clearTimeout(waiting: Waiting | undefined): void {
	waiting?.cancel?.();
}

export function setImmediate(callback: Callback, ...values: unknown[]): Waiting {
	return wait(0, callback, values);
}

export const clearImmediate = clearTimeout;

export const performance = { now };
