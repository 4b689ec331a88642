/**
 * The curve P-256 (FIPS 186-4, D.1.2.3). Coordinates are taken modulo P, but not to the end: they are below 3 P and may
 * be a little below zero. Products do not mind.
 */
export const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
/** Order of the base point. */
export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
export const GX = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n;
export const GY = 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
/** Of the numbers that a sum takes points times. */
export const SUM_BITS = 256;

/** Whether (x, y) are coordinates, and of a point of the curve: y² = x³ - 3x + B. */
export function isOnCurve(x: bigint, y: bigint): boolean {
	if (x >= P || y >= P) return false;
	return (y * y - (x * x - 3n) * x - B) % P === 0n;
}

/** number^-1 modulo a prime; the number is no multiple of it. */
export function inverse(number: bigint, prime: bigint): bigint {
	let a = prime;
	let b = ((number % prime) + prime) % prime;
	let x = 0n;
	let y = 1n;
	while (b > 1n) {
		const quotient = a / b;
		const rest = a - quotient * b;
		a = b;
		b = rest;
		const next = x - quotient * y;
		x = y;
		y = next;
	}
	return y < 0n ? y + prime : y;
}

/** 2^544 / P. */
const RECIPROCAL = 0x100000000fffffffffffffffefffffffefffffffeffffffff000000000000000300000005n;

/**
 * Takes a number of at most 519 bits modulo P (Barrett's way): two products and two shifts by whole words take the engine
 * two thirds of what its division takes.
 */
function reduce(number: bigint): bigint {
	return number - (((number >> 256n) * RECIPROCAL) >> 288n) * P;
}

/** A point in Jacobian coordinates, x / z² and y / z³; z is 0 at infinity. It changes in place, with few locals: the stack is short. */
export class Point {
	x = 1n;
	y = 1n;
	z = 0n;

	get isInfinite(): boolean {
		return this.z === 0n;
	}

	set(x: bigint, y: bigint): void {
		this.x = x;
		this.y = y;
		this.z = 1n;
	}

	double(): void {
		const yy = reduce(this.y * this.y);
		const s = reduce(4n * this.x * yy);
		const zz = reduce(this.z * this.z);
		const m = reduce(3n * (this.x - zz) * (this.x + zz));
		this.z = reduce(2n * this.y * this.z);
		this.x = reduce(m * m - 2n * s);
		this.y = reduce(m * (s - this.x) - 8n * yy * yy);
	}

	/** Adds a point (x, y) that is not at infinity. */
	add(x: bigint, y: bigint): void {
		if (this.isInfinite) {
			this.set(x, y);
			return;
		}
		const zz = reduce(this.z * this.z);
		const h = reduce(x * zz - this.x);
		let r = reduce(y * zz);
		r = reduce(r * this.z - this.y);
		if (h % P === 0n) {
			if (r % P === 0n) this.double();
			else this.z = 0n;
			return;
		}
		const hh = reduce(h * h);
		const hhh = reduce(hh * h);
		const v = reduce(this.x * hh);
		this.x = reduce(r * r - hhh - 2n * v);
		this.y = reduce(r * (v - this.x) - this.y * hhh);
		this.z = reduce(this.z * h);
	}

	/** z 1. Not at infinity. */
	normalize(): void {
		const w = inverse(this.z, P);
		const ww = reduce(w * w);
		this.x = reduce(this.x * ww);
		this.y = reduce(this.y * ww);
		this.y = reduce(this.y * w);
		this.z = 1n;
	}
}

/** a G + b Q, Q (x, y): both at once, bit by bit (Shamir's trick). Fields and no locals: the stack is short. */
export class Sum {
	readonly point = new Point();
	private readonly a: bigint;
	private readonly b: bigint;
	private readonly x: bigint;
	private readonly y: bigint;
	/** G + Q. */
	private readonly both = new Point();

	constructor(a: bigint, b: bigint, x: bigint, y: bigint) {
		this.a = a;
		this.b = b;
		this.x = x;
		this.y = y;
	}

	/** Before the first step. */
	prepare(): void {
		this.both.set(GX, GY);
		this.both.add(this.x, this.y);
		if (!this.both.isInfinite) this.both.normalize();
	}

	/** The next bit, from SUM_BITS - 1 down to 0. */
	step(i: number): void {
		this.point.double();
		const inA = ((this.a >> BigInt(i)) & 1n) > 0n;
		const inB = ((this.b >> BigInt(i)) & 1n) > 0n;
		if (inA && inB) {
			if (!this.both.isInfinite) this.point.add(this.both.x, this.both.y);
		} else if (inA) this.point.add(GX, GY);
		else if (inB) this.point.add(this.x, this.y);
	}

	/** Whether the affine x is r modulo the order: r, or r + order, which a coordinate can be just as well. */
	hasX(r: bigint): boolean {
		const { x, z } = this.point;
		const zz = (z * z) % P;
		if (this.point.isInfinite) return false;
		if ((r * zz - x) % P === 0n) return true;
		return r + ORDER < P && ((r + ORDER) * zz - x) % P === 0n;
	}
}
