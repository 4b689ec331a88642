/*
 * Arithmetic of IEEE 754 binary64, which the chip has in its mask ROM and the compiler's library therefore not:
 * rounded to the nearest, ties to even. Numbers go through as their bits.
 */
#include <stdbool.h>
#include <stdint.h>

/* The names by which the compiler calls them. */
double __adddf3(double a, double b);
double __subdf3(double a, double b);
double __muldf3(double a, double b);
double __divdf3(double a, double b);
int32_t __fixdfsi(double a);
uint32_t __fixunsdfsi(double a);
double __floatsidf(int32_t a);
double __floatunsidf(uint32_t a);
double __extendsfdf2(float a);
float __truncdfsf2(double a);
float __addsf3(float a, float b);
float __subsf3(float a, float b);
float __mulsf3(float a, float b);
float __floatsisf(int32_t a);
float __floatunsisf(uint32_t a);

#define SIGN 0x8000000000000000u
#define FRACTION_BITS 52
#define FRACTION 0x000fffffffffffffu
#define IMPLICIT 0x0010000000000000u
#define EXPONENT_MAX 2047
#define BIAS 1023
#define INFINITE 0x7ff0000000000000u
#define NOT_A_NUMBER 0x7ff8000000000000u
/* Bits below the fraction while a result is not rounded yet; the last one also tells of all that is lost. */
#define GUARD 3

/* A finite number that is not zero: fraction × 2^(exponent - 1075), the implicit bit in the fraction. */
typedef struct {
	uint64_t fraction;
	int exponent;
} Parts;

static inline uint64_t bits_of(double value)
{
	union { double value; uint64_t bits; } both = { .value = value };
	return both.bits;
}

static inline double number_of(uint64_t bits)
{
	union { uint64_t bits; double value; } both = { .bits = bits };
	return both.value;
}

static bool is_nan(uint64_t bits)
{
	return (bits & ~SIGN) > INFINITE;
}

static bool is_infinite(uint64_t bits)
{
	return (bits & ~SIGN) == INFINITE;
}

static bool is_zero(uint64_t bits)
{
	return (bits & ~SIGN) == 0;
}

/* Leading zeros down to the implicit bit's place, which subnormal numbers are moved to. */
static Parts parts_of(uint64_t bits)
{
	Parts parts = { bits & FRACTION, (int)(bits >> FRACTION_BITS) & EXPONENT_MAX };
	if (parts.exponent > 0)
		parts.fraction |= IMPLICIT;
	else {
		int shift = __builtin_clzll(parts.fraction) - 11;
		parts.fraction <<= shift;
		parts.exponent = 1 - shift;
	}
	return parts;
}

/* Shifts right; a bit that gets lost is kept in the lowest one. */
static uint64_t shift_down(uint64_t fraction, int shift)
{
	if (shift == 0)
		return fraction;
	if (shift > 63)
		return fraction != 0;
	return fraction >> shift | ((fraction << (64 - shift)) != 0);
}

/* Of a fraction with GUARD bits more, its highest bit in the implicit one's place where the exponent is above 0. */
static uint64_t rounded(uint64_t sign, int exponent, uint64_t fraction)
{
	uint32_t rest;
	if (exponent <= 0) {
		fraction = shift_down(fraction, 1 - exponent);
		exponent = 0;
	}
	else if (exponent >= EXPONENT_MAX)
		return sign | INFINITE;
	else
		exponent--;
	rest = (uint32_t)fraction & ((1 << GUARD) - 1);
	fraction >>= GUARD;
	if (rest > 4 || (rest == 4 && (fraction & 1)))
		fraction++;
	/* The implicit bit, or a carry, counts the exponent up. */
	return sign | (((uint64_t)exponent << FRACTION_BITS) + fraction);
}

/* As `rounded`, of a fraction with its highest bit anywhere; not 0. */
static uint64_t normalized(uint64_t sign, int exponent, uint64_t fraction)
{
	int shift = __builtin_clzll(fraction) - (11 - GUARD);
	if (shift > 0)
		fraction <<= shift;
	else
		fraction = shift_down(fraction, -shift);
	return rounded(sign, exponent - shift, fraction);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t sign;
	Parts x, y;
	if (is_nan(a) || is_nan(b))
		return NOT_A_NUMBER;
	if (is_infinite(a))
		return is_infinite(b) && a != b ? NOT_A_NUMBER : a;
	if (is_infinite(b))
		return b;
	if (is_zero(a))
		return is_zero(b) ? a & b : b;
	if (is_zero(b))
		return a;
	if ((a & ~SIGN) < (b & ~SIGN)) {
		uint64_t other = a;
		a = b;
		b = other;
	}
	sign = a & SIGN;
	x = parts_of(a);
	y = parts_of(b);
	x.fraction <<= GUARD;
	y.fraction = shift_down(y.fraction << GUARD, x.exponent - y.exponent);
	if ((a ^ b) & SIGN) {
		if (x.fraction == y.fraction)
			return 0;
		return normalized(sign, x.exponent, x.fraction - y.fraction);
	}
	return normalized(sign, x.exponent, x.fraction + y.fraction);
}

static uint64_t product(uint64_t a, uint64_t b)
{
	uint64_t sign = (a ^ b) & SIGN;
	uint64_t low, middle, high;
	Parts x, y;
	if (is_nan(a) || is_nan(b))
		return NOT_A_NUMBER;
	if (is_infinite(a) || is_infinite(b))
		return is_zero(a) || is_zero(b) ? NOT_A_NUMBER : sign | INFINITE;
	if (is_zero(a) || is_zero(b))
		return sign;
	x = parts_of(a);
	y = parts_of(b);
	/* 106 bits, of which those above 64 and GUARD are wanted. */
	low = (uint64_t)(uint32_t)x.fraction * (uint32_t)y.fraction;
	middle = (uint64_t)(uint32_t)(x.fraction >> 32) * (uint32_t)y.fraction + (low >> 32);
	high = (uint64_t)(uint32_t)(x.fraction >> 32) * (uint32_t)(y.fraction >> 32) + (middle >> 32);
	middle = (uint64_t)(uint32_t)x.fraction * (uint32_t)(y.fraction >> 32) + (uint32_t)middle;
	high += middle >> 32;
	low = middle << 32 | (uint32_t)low;
	high = high << 14 | low >> 50 | ((low << 14) != 0);
	return normalized(sign, x.exponent + y.exponent - 1022, high);
}

static uint64_t quotient(uint64_t a, uint64_t b)
{
	uint64_t sign = (a ^ b) & SIGN;
	uint64_t result = 0;
	Parts x, y;
	if (is_nan(a) || is_nan(b) || (is_infinite(a) && is_infinite(b)) || (is_zero(a) && is_zero(b)))
		return NOT_A_NUMBER;
	if (is_infinite(a) || is_zero(b))
		return sign | INFINITE;
	if (is_infinite(b) || is_zero(a))
		return sign;
	x = parts_of(a);
	y = parts_of(b);
	for (int i = 0; i < FRACTION_BITS + GUARD + 1; i++) {
		result <<= 1;
		if (x.fraction >= y.fraction) {
			x.fraction -= y.fraction;
			result |= 1;
		}
		x.fraction <<= 1;
	}
	return normalized(sign, x.exponent - y.exponent + 1023, result | (x.fraction != 0));
}

/* 32 bits are exact. */
static uint64_t of_integer(uint64_t sign, uint32_t integer)
{
	return integer ? normalized(sign, BIAS + FRACTION_BITS + GUARD, integer) : 0;
}

/* Truncated; what does not fit is of no use. */
static uint32_t whole(uint64_t bits)
{
	int shift = BIAS + FRACTION_BITS - ((int)(bits >> FRACTION_BITS) & EXPONENT_MAX);
	if (shift > FRACTION_BITS || shift < 0)
		return 0;
	return (uint32_t)(((bits & FRACTION) | IMPLICIT) >> shift);
}

/* Of binary32, in 32 bits. */
static uint64_t widened(uint32_t single)
{
	uint64_t sign = (uint64_t)(single & 0x80000000u) << 32;
	uint32_t exponent = single >> 23 & 255, fraction = single & 0x7fffff;
	if (exponent == 255)
		return sign | (fraction ? NOT_A_NUMBER : INFINITE);
	if (exponent == 0)
		return fraction ? normalized(sign, BIAS - 149 + FRACTION_BITS + GUARD, fraction) : sign;
	return sign | (uint64_t)(exponent + BIAS - 127) << FRACTION_BITS | (uint64_t)fraction << 29;
}

static uint32_t narrowed(uint64_t bits)
{
	uint32_t sign = (uint32_t)(bits >> 32) & 0x80000000u;
	uint64_t fraction;
	int exponent, shift;
	if (is_nan(bits))
		return sign | 0x7fc00000;
	exponent = ((int)(bits >> FRACTION_BITS) & EXPONENT_MAX) - BIAS + 127;
	if (exponent >= 255)
		return sign | 0x7f800000;
	/* 3 bits more than a binary32 has, and more where it is subnormal. */
	shift = 26 + (exponent <= 0 ? 1 - exponent : 0);
	fraction = shift_down((bits & FRACTION) | IMPLICIT, shift);
	exponent = exponent <= 0 ? 0 : exponent - 1;
	if ((fraction & 7) > 4 || ((fraction & 7) == 4 && (fraction & 8)))
		fraction += 8;
	return sign | (((uint32_t)exponent << 23) + (uint32_t)(fraction >> 3));
}

static float single_of(uint32_t bits)
{
	union { uint32_t bits; float value; } both = { .bits = bits };
	return both.value;
}

static uint32_t single_bits_of(float value)
{
	union { float value; uint32_t bits; } both = { .value = value };
	return both.bits;
}

double __adddf3(double a, double b)
{
	return number_of(sum(bits_of(a), bits_of(b)));
}

double __subdf3(double a, double b)
{
	return number_of(sum(bits_of(a), bits_of(b) ^ SIGN));
}

double __muldf3(double a, double b)
{
	return number_of(product(bits_of(a), bits_of(b)));
}

double __divdf3(double a, double b)
{
	return number_of(quotient(bits_of(a), bits_of(b)));
}

int32_t __fixdfsi(double a)
{
	uint32_t magnitude = whole(bits_of(a));
	return (int32_t)(bits_of(a) & SIGN ? 0u - magnitude : magnitude);
}

uint32_t __fixunsdfsi(double a)
{
	return (uint32_t)__fixdfsi(a);
}

double __floatsidf(int32_t a)
{
	return number_of(a < 0 ? of_integer(SIGN, 0u - (uint32_t)a) : of_integer(0, (uint32_t)a));
}

double __floatunsidf(uint32_t a)
{
	return number_of(of_integer(0, a));
}

double __extendsfdf2(float a)
{
	return number_of(widened(single_bits_of(a)));
}

float __truncdfsf2(double a)
{
	return single_of(narrowed(bits_of(a)));
}

/* A sum or product of binary32 that is rounded twice is right: binary64 has more than twice its bits. */
float __addsf3(float a, float b)
{
	return __truncdfsf2(__adddf3(__extendsfdf2(a), __extendsfdf2(b)));
}

float __subsf3(float a, float b)
{
	return __truncdfsf2(__subdf3(__extendsfdf2(a), __extendsfdf2(b)));
}

float __mulsf3(float a, float b)
{
	return __truncdfsf2(__muldf3(__extendsfdf2(a), __extendsfdf2(b)));
}

float __floatsisf(int32_t a)
{
	return __truncdfsf2(__floatsidf(a));
}

float __floatunsisf(uint32_t a)
{
	return __truncdfsf2(__floatunsidf(a));
}
