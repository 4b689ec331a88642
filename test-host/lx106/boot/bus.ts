/** What a load or store reaches outside of data RAM: instruction RAM and the few peripherals that boot code uses. */
import { RTC_LENGTH, type RtcMemory } from "../../virtual/rtc";
import { hex32 } from "../../virtual/uart";
import type { Clock } from "./clock";
import { MachineFault, SoftwareReset } from "./fault";
import type { Code } from "./instruction";
import type { Outside } from "./program";
import type { Ram } from "./ram";

const RTC_CONTROL = 0x60000700;
/** Of RTC_CONTROL. */
const RESET = 0x80000000 | 0;
const WATCHDOG_FEED = 0x60000914;
const FEED = 0x73;
const RTC_MEMORY = 0x60001200;

export class Bus implements Outside {
	readonly #ram: Ram;
	#code: Code | undefined;
	#rtc: RtcMemory | undefined;
	#clock: Clock | undefined;
	#level = 0;
	readonly #word = new Uint8Array(4);
	readonly #view = new DataView(this.#word.buffer);

	constructor(ram: Ram) {
		this.#ram = ram;
	}

	/** For another run; without peripherals where none are given. */
	attach(code: Code, board?: { rtc: RtcMemory; clock: Clock }): void {
		this.#code = code;
		this.#rtc = board?.rtc;
		this.#clock = board?.clock;
		this.#level = 0;
	}

	/** More code that stores must not change. */
	protect(code: Code): void {
		this.#code = code;
	}

	load8(address: number, pc: number): number {
		return this.#refuse("byte load", address, pc);
	}

	load16(address: number, pc: number): number {
		return this.#refuse("half word load", address, pc);
	}

	store8(address: number, _value: number, pc: number): void {
		this.#refuse("byte store", address, pc);
	}

	store16(address: number, _value: number, pc: number): void {
		this.#refuse("half word store", address, pc);
	}

	load32(at: number, pc: number): number {
		const address = at >>> 0;
		const { instructions, i32 } = this.#ram;
		if (address % 4 === 0) {
			const value = i32[(address - instructions.start) / 4];
			if (value !== undefined) return value;
			if (address === RTC_CONTROL && this.#clock) return 0;
			const offset = address - RTC_MEMORY;
			if (this.#rtc && offset >= 0 && offset < RTC_LENGTH) {
				this.#rtc.read(offset, this.#word);
				return this.#view.getInt32(0, true);
			}
		}
		return this.#refuse("load", address, pc);
	}

	store32(at: number, value: number, pc: number): void {
		const address = at >>> 0;
		const { instructions, i32 } = this.#ram;
		const offset = address - RTC_MEMORY;
		if (
			address % 4 === 0 &&
			address >= instructions.start &&
			address < instructions.start + instructions.length
		) {
			this.checkStore(address, 4, pc);
			i32[(address - instructions.start) / 4] = value;
		} else if (this.#rtc && address % 4 === 0 && offset >= 0 && offset < RTC_LENGTH) {
			this.#view.setInt32(0, value, true);
			this.#rtc.write(offset, this.#word);
		} else if (address === RTC_CONTROL && this.#clock) {
			if (value & RESET) throw new SoftwareReset();
		} else if (address === WATCHDOG_FEED && value === FEED && this.#clock) {
			this.#clock.feed();
		} else this.#refuse("store", address, pc);
	}

	/** RSIL: gives PS before. Interrupts there are none. */
	setLevel(level: number, _pc: number): number {
		const before = 0x20 | this.#level;
		this.#level = level;
		return before;
	}

	illegal(pc: number): never {
		throw new MachineFault("illegal instruction", pc);
	}

	/** Throws MachineFault where the running code itself would be written over. */
	checkStore(address: number, length: number, pc: number): void {
		const { start = 0, bytes } = this.#code ?? {};
		if (address < start + (bytes?.length ?? 0) && address + length > start) {
			throw new MachineFault(`store of ${length} bytes to 0x${hex32(address)} over the code that runs`, pc);
		}
	}

	#refuse(what: string, address: number, pc: number): never {
		throw new MachineFault(`${what} that is not possible, address 0x${hex32(address)},`, pc);
	}
}
