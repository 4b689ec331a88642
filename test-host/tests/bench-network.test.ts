/** The bench's simulator: what is known of TCP, of the flash and of virtual time without it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Air, type AirOptions } from "../bench/air";
import { Clock } from "../bench/clock";
import { Cpu } from "../bench/cpu";
import { flashLimit, TYPICAL } from "../bench/figures";
import { linux, lwip, PC, type TcpProfile } from "../bench/host";
import { TcpEnd } from "../bench/tcp";
import { Noise } from "../virtual/noise";

const SEGMENT = 1460;

interface Sent {
	/** Seconds from the first byte until the last one was read. */
	time: number;
	bytes: Uint8Array;
}

interface Options extends Partial<AirOptions> {
	/** The receiver's. */
	tcp?: TcpProfile;
	/** When it reads, microseconds after the bytes came; at once where not given. */
	readAfter?: number;
	/** Bytes that are sent, then waited for; all at once where not given. */
	chunk?: number;
	nodelay?: boolean;
}

/** Sends bytes between two hosts that take no time, to a reader that reads at once. */
function send(bytes: Uint8Array, options: Options = {}): Sent {
	const { tcp = linux, readAfter = 0, chunk = bytes.length, nodelay = true, ...air } = options;
	const clock = new Clock();
	const ether = new Air(clock, { rate: 1e9, roundTrip: 20, loss: 0, seed: 1, ...air });
	const [from, to] = [new PC(clock, ether), new PC(clock, ether, tcp, "board")];
	const [a, b] = [new TcpEnd(from, to), new TcpEnd(to, from)];
	const read: number[] = [];
	let sent = 0;
	let begun = 0;
	const more = () => {
		a.sender.write(bytes.subarray(sent, sent + chunk));
		sent += chunk;
	};
	a.sender.nodelay = nodelay;
	a.onConnected = () => {
		begun = clock.now;
		more();
	};
	a.receiver.onReadable = () => {
		a.receiver.read(new Uint8Array(a.receiver.available));
		more();
	};
	b.sender.nodelay = true;
	b.receiver.onReadable = () => {
		to.after(readAfter, () => {
			const piece = new Uint8Array(b.receiver.available);
			b.receiver.read(piece);
			read.push(...piece);
			if (chunk < bytes.length && read.length < bytes.length) b.sender.write(Uint8Array.of(1));
		});
	};
	a.connect(() => b);
	clock.run(() => read.length >= bytes.length);
	return { time: (clock.now - begun) / 1e6, bytes: Uint8Array.from(read) };
}

const bytes = (length: number) => new Noise(5).fill(new Uint8Array(length));

describe("TCP over the bench's air", () => {
	test("carries a window of four segments in a round trip, where the rate is no limit", () => {
		const { time } = send(bytes(400 * SEGMENT), { tcp: { ...lwip, acknowledgeAfter: () => 0 } });
		// The first ones double from ten: the window is all that holds them back.
		expect(time).toBeGreaterThan(0.02 * 99);
		expect(time).toBeLessThan(0.02 * 101);
	});

	test("carries the rate, where the window is no limit", () => {
		const { time } = send(bytes(400 * SEGMENT), { rate: 90_000, roundTrip: 3 });
		const ideal = (400 * SEGMENT) / 90_000;
		expect(time).toBeGreaterThan(ideal);
		// Acknowledgements take their part of the channel.
		expect(time).toBeLessThan(ideal * 1.05);
	});

	test("carries a segment in a round trip, where each waits for an answer", () => {
		const { time } = send(bytes(100 * SEGMENT), { chunk: SEGMENT });
		expect(time).toBeGreaterThan(0.02 * 99);
		expect(time).toBeLessThan(0.02 * 101);
	});

	test("puts a small segment off until what is under way is acknowledged, unless it may not", () => {
		const lone = { tcp: { ...linux, acknowledgeAfter: () => 100_000 }, readAfter: 105_000 };
		// Of a full segment and a small one behind it the receiver puts the first acknowledgement off.
		expect(send(bytes(SEGMENT + 10), { ...lone, nodelay: false }).time).toBeCloseTo(0.12 + 0.01 + 0.105, 3);
		expect(send(bytes(SEGMENT + 10), { ...lone, nodelay: true }).time).toBeCloseTo(0.01 + 0.105, 3);
	});

	test.each([
		["Linux", linux],
		["lwIP", lwip],
	] as const)("delivers all to %s in order, whatever is lost", (_name, tcp) => {
		fc.assert(
			fc.property(
				fc.nat(),
				fc.integer({ min: 1, max: 60_000 }),
				fc.constantFrom(0.01, 0.1, 0.3),
				(seed, length, loss) => {
					const all = bytes(length);
					expect(Buffer.from(send(all, { tcp, seed, loss }).bytes).equals(all)).toBe(true);
				},
			),
			{ numRuns: 60 },
		);
	});

	test("takes a lost segment up by repeated acknowledgements sooner than by time", () => {
		const all = bytes(400 * SEGMENT);
		const whole = send(all, { rate: 300_000 }).time;
		const holed = send(all, { rate: 300_000, loss: 0.01, seed: 3 }).time;
		expect(holed).toBeGreaterThan(whole);
		expect(holed).toBeLessThan(whole + 0.2);
	});
});

describe("the bench's processor", () => {
	test("runs one task after the other, and sends what one sends when it returns", () => {
		const clock = new Clock();
		const cpu = new Cpu(clock);
		const seen: [string, number][] = [];
		const see = (what: string) => seen.push([what, clock.now]);
		cpu.post(() => {
			cpu.leave(() => see("sent"));
			cpu.wait(500);
			cpu.compute(100);
		});
		cpu.post(() => see("script"));
		clock.at(200, () => cpu.post(() => see("network"), "network"));
		clock.run(() => seen.length === 3);
		expect(seen).toEqual([
			["sent", 600],
			["network", 600],
			["script", 600],
		]);
		expect([cpu.waiting, cpu.computing]).toEqual([500, 100]);
	});

	test("counts a timer from where its task is", () => {
		const clock = new Clock();
		const cpu = new Cpu(clock);
		let at = 0;
		cpu.post(() => {
			cpu.wait(1000);
			cpu.after(50, () => {
				at = clock.now;
			});
		});
		clock.run(() => at > 0);
		expect(at).toBe(1050);
	});
});

test("events happen in the order of their times, those of the same time as they were made", () => {
	fc.assert(
		fc.property(fc.array(fc.nat({ max: 20 }), { minLength: 1 }), (times) => {
			const clock = new Clock();
			const happened: [number, number][] = [];
			times.forEach((time, i) => {
				clock.at(time, () => happened.push([time, i]));
			});
			clock.run(() => happened.length === times.length);
			expect(happened).toEqual([...happened].sort(([a, i], [b, j]) => a - b || i - j));
		}),
	);
});

test("the flash's limit is that of its datasheet", () => {
	// 45 ms and 16 pages of 0.4 ms for 4,096 bytes; 150 ms and 256 pages for 65,536; a byte takes 0.19 µs on its way.
	expect(flashLimit(TYPICAL, "sector")).toBeCloseTo(4096 / (0.045 + 0.0064 + 4096 * 0.19e-6), 3);
	expect(flashLimit(TYPICAL, "block")).toBeCloseTo(65_536 / (0.15 + 0.1024 + 65_536 * 0.19e-6), 3);
});
