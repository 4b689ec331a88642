/* MD5 (RFC 1321): the compression of one block. */
#include "digest.h"

static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static inline uint32_t word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

#define F1(X, Y, Z) ((Z) ^ ((X) & ((Y) ^ (Z))))
#define F2(X, Y, Z) F1(Z, X, Y)
#define F3(X, Y, Z) ((X) ^ (Y) ^ (Z))
#define F4(X, Y, Z) ((Y) ^ ((X) | ~(Z)))

#define STEP(F, A, B, C, D, WORD, TURN) \
	sum = A + F(B, C, D) + words[(WORD) & 15] + *sine++; \
	A = B + (sum << TURN | sum >> (32 - TURN));

/* Four steps at a time, after which a to d have their places again; each takes the word STRIDE behind the last one's. */
#define ROUND(F, FIRST, STRIDE, T1, T2, T3, T4) \
	for (int i = 0, word = FIRST; i < 4; i++, word += 4 * STRIDE) { \
		STEP(F, a, b, c, d, word, T1) \
		STEP(F, d, a, b, c, word + STRIDE, T2) \
		STEP(F, c, d, a, b, word + 2 * STRIDE, T3) \
		STEP(F, b, c, d, a, word + 3 * STRIDE, T4) \
	}

static void compress(uint32_t *state, const uint8_t *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	const uint32_t *sine = sines;
	uint32_t words[16], sum;
	for (int i = 0; i < 16; i++)
		words[i] = word_at(block + 4 * i);
	ROUND(F1, 0, 1, 7, 12, 17, 22)
	ROUND(F2, 1, 5, 5, 9, 14, 20)
	ROUND(F3, 5, 3, 4, 11, 16, 23)
	ROUND(F4, 0, 7, 6, 10, 15, 21)
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

const DigestKind md5 = {
	.name = "MD5",
	.words = 4,
	.start = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 },
	.compress = compress,
};
