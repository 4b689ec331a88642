/*
 * Integer arithmetic that the compiler calls and its library leaves to the chip's mask ROM: division, since the
 * lx106 has none, and products of 64 bits, since it has none of more than 32.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t __udivsi3(uint32_t n, uint32_t d);
uint32_t __umodsi3(uint32_t n, uint32_t d);
int32_t __divsi3(int32_t n, int32_t d);
uint64_t __umulsidi3(uint32_t a, uint32_t b);
int64_t __muldi3(int64_t a, int64_t b);
uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest);
uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
int64_t __divdi3(int64_t n, int64_t d);

/* The quotient; the rest in `*rest`. */
static inline uint32_t divide(uint32_t n, uint32_t d, uint32_t *rest)
{
	uint32_t quotient = 0;
	if (d == 0)
		__asm__ volatile("ill");
	if (d <= n) {
		int shift = __builtin_clz(d) - __builtin_clz(n);
		d <<= shift;
		for (; shift >= 0; shift--, d >>= 1) {
			quotient <<= 1;
			if (n >= d) {
				n -= d;
				quotient |= 1;
			}
		}
	}
	*rest = n;
	return quotient;
}

uint32_t __udivsi3(uint32_t n, uint32_t d)
{
	uint32_t rest;
	return divide(n, d, &rest);
}

uint32_t __umodsi3(uint32_t n, uint32_t d)
{
	uint32_t rest;
	divide(n, d, &rest);
	return rest;
}

static uint32_t magnitude(int32_t n)
{
	return n < 0 ? 0u - (uint32_t)n : (uint32_t)n;
}

int32_t __divsi3(int32_t n, int32_t d)
{
	uint32_t quotient = __udivsi3(magnitude(n), magnitude(d));
	return (int32_t)((n < 0) != (d < 0) ? 0u - quotient : quotient);
}

uint64_t __umulsidi3(uint32_t a, uint32_t b)
{
	uint32_t low = (uint32_t)(uint16_t)a * (uint16_t)b;
	uint32_t middle = (uint32_t)(uint16_t)a * (uint16_t)(b >> 16);
	uint32_t other = (uint32_t)(uint16_t)(a >> 16) * (uint16_t)b;
	uint32_t high = (uint32_t)(uint16_t)(a >> 16) * (uint16_t)(b >> 16);
	middle += other;
	if (middle < other)
		high += 0x10000;
	low += middle << 16;
	high += (middle >> 16) + (low < middle << 16);
	return (uint64_t)high << 32 | low;
}

int64_t __muldi3(int64_t a, int64_t b)
{
	uint32_t cross = (uint32_t)a * (uint32_t)(b >> 32) + (uint32_t)(a >> 32) * (uint32_t)b;
	uint64_t product = __umulsidi3((uint32_t)a, (uint32_t)b);
	return (int64_t)((uint64_t)((uint32_t)(product >> 32) + cross) << 32 | (uint32_t)product);
}

uint64_t __udivdi3(uint64_t n, uint64_t d)
{
	return __udivmoddi4(n, d, NULL);
}

uint64_t __umoddi3(uint64_t n, uint64_t d)
{
	uint64_t rest;
	__udivmoddi4(n, d, &rest);
	return rest;
}

int64_t __divdi3(int64_t n, int64_t d)
{
	uint64_t quotient = __udivmoddi4(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, d < 0 ? 0 - (uint64_t)d : (uint64_t)d, NULL);
	return (int64_t)((n < 0) != (d < 0) ? 0 - quotient : quotient);
}
