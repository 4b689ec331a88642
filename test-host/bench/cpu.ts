/**
 * The chip's only processor. The SDK without an operating system runs one task after the other and interrupts none
 * for another: while a callback of the script runs, or waits for the flash, lwIP takes no packet and sends none.
 * What a task sends leaves when it returns; packets that come meanwhile wait in the radio's buffers.
 */
import type { Clock } from "./clock";

type Task = () => void;

export class Cpu {
	readonly #clock: Clock;
	/** The network's tasks go before the script's. */
	readonly #network: Task[] = [];
	readonly #script: Task[] = [];
	#leaving: Task[] = [];
	/** The end of what has run, so far; undefined while nothing runs. */
	#cursor: number | undefined;
	#freeAt = 0;
	#scheduled = false;
	/** Microseconds of computing, and of waiting for the flash. */
	computing = 0;
	waiting = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Now, for what runs on the chip. */
	get now(): number {
		return this.#cursor ?? Math.max(this.#clock.now, this.#freeAt);
	}

	/** Runs `task` when the ones before it have returned. */
	post(task: Task, of: "network" | "script" = "script"): void {
		(of === "network" ? this.#network : this.#script).push(task);
		this.#schedule();
	}

	/** Runs `task` after so many microseconds; what is returned takes it back. */
	after(delay: number, task: Task, of: "network" | "script" = "script"): () => void {
		let live = true;
		this.#clock.at(this.now + delay, () => {
			if (live) this.post(() => live && task(), of);
		});
		return () => {
			live = false;
		};
	}

	/** The task that runs computes for so many microseconds. */
	compute(time: number): void {
		this.computing += time;
		this.#pass(time);
	}

	/** The task that runs waits for the flash. */
	wait(time: number): void {
		this.waiting += time;
		this.#pass(time);
	}

	/** Does so when the task that runs has returned. */
	leave(what: Task): void {
		if (this.#cursor === undefined) what();
		else this.#leaving.push(what);
	}

	#pass(time: number): void {
		if (this.#cursor !== undefined) this.#cursor += time;
		else this.#freeAt = this.now + time;
	}

	#schedule(): void {
		if (this.#scheduled || this.#cursor !== undefined) return;
		if (this.#network.length + this.#script.length === 0) return;
		this.#scheduled = true;
		this.#clock.at(this.#freeAt, () => this.#run());
	}

	#run(): void {
		this.#scheduled = false;
		const task = this.#network.shift() ?? this.#script.shift();
		this.#cursor = this.#clock.now;
		try {
			task?.();
		} finally {
			const end = this.#cursor;
			this.#cursor = undefined;
			this.#freeAt = end;
			const leaving = this.#leaving;
			this.#leaving = [];
			if (leaving.length > 0) {
				this.#clock.at(end, () => {
					for (const what of leaving) what();
				});
			}
			this.#schedule();
		}
	}
}
