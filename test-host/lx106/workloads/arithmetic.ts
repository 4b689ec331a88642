/** Numbers at random through all that this machine lacks instructions for: the same sums on every engine. */

const ROUNDS = 10;
const OPERANDS = 100;
/** Exponents that meet: others would make most sums the larger operand. */
const NEAR = 0x3f000000;

const SPECIAL: readonly number[] = Object.freeze([0, -0, 1, -1, Infinity, -Infinity, NaN, 2 ** -1074]);

/** The check of one round. */
class Round {
	sum = 0;
	private state: number;
	private readonly view = new DataView(new ArrayBuffer(8));

	constructor(seed: number) {
		this.state = seed;
	}

	/** splitmix32. */
	private random(): number {
		this.state = (this.state + 0x9e3779b9) | 0;
		let word = Math.imul(this.state ^ (this.state >>> 16), 0x21f0aaad);
		word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
		return (word ^ (word >>> 15)) >>> 0;
	}

	/** A whole number, a special one, one near 1, one that is hardly there, or any. */
	private operand(): number {
		const kind = this.random() % 8;
		if (kind === 0) return this.random() | 0;
		if (kind === 1) return SPECIAL[this.random() % SPECIAL.length] ?? 0;
		let high = this.random();
		if (kind < 5) high = (high & 0x801fffff) | (NEAR + (this.random() % 64) * 0x100000);
		else if (kind === 5) high &= 0x800fffff;
		this.view.setUint32(0, high);
		this.view.setUint32(4, kind === 2 ? 0 : this.random());
		return this.view.getFloat64(0);
	}

	private count(word: number): void {
		this.sum = Math.imul(this.sum ^ word, 0x01000193);
	}

	/** Engines have each their own bits of what is no number. */
	private countNumber(value: number): void {
		this.view.setFloat64(0, Number.isNaN(value) ? 0.5 : value);
		this.count(this.view.getInt32(0));
		this.count(this.view.getInt32(4));
	}

	private countBigInt(value: bigint): void {
		this.count(Number(BigInt.asIntN(32, value)));
	}

	doubles(): void {
		const a = this.operand();
		const b = this.operand();
		this.countNumber(a + b);
		this.countNumber(a - b);
		this.countNumber(a * b);
		this.countNumber(a / b);
		// XS 13.3 gives a whole number back as it is, even one of more than 24 bits.
		this.countNumber(Math.fround(a / 3));
		this.countNumber(Math.sqrt(Math.abs(b)));
		this.count(Math.abs(a) < 0x80000000 ? a | 0 : 0);
		this.count((a < b ? 1 : 0) + (a === b ? 2 : 0));
	}

	integers(): void {
		const a = this.random() | 0;
		const b = (this.random() | 0) >> (this.random() % 31) || 1;
		this.count((a / b) | 0);
		this.count(a % b);
		this.countNumber((a >>> 0) / (b >>> 0));
		const wide = (BigInt(this.random()) << 64n) | (BigInt(this.random()) << 32n) | BigInt(this.random());
		const divisor = (BigInt(this.random()) << BigInt(this.random() % 40)) | 1n;
		this.countBigInt(wide / divisor);
		this.countBigInt(wide % divisor);
		this.countBigInt((wide * divisor) >> 40n);
	}
}

/** Of each round. */
export function checks(): number[] {
	const found: number[] = [];
	for (let i = 0; i < ROUNDS; i++) {
		const round = new Round(i);
		for (let j = 0; j < OPERANDS; j++) {
			round.doubles();
			round.integers();
		}
		found.push(round.sum);
	}
	return found;
}

export default function run(): void {
	trace(`${checks().join(" ")}\n`);
}
