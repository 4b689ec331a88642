/* SHA-1 (RFC 3174): the compression of one block. */
#include "digest.h"

static uint32_t rotate(uint32_t word, int turn)
{
	return word << turn | word >> (32 - turn);
}

static void compress(uint32_t *state, const uint8_t *block)
{
	uint32_t words[80];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
	for (int i = 0; i < 16; i++, block += 4)
		words[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
	for (int i = 16; i < 80; i++)
		words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f, k, sum;
		switch (i / 20) {
		case 0: f = (b & c) | (~b & d); k = 0x5a827999; break;
		case 1: f = b ^ c ^ d; k = 0x6ed9eba1; break;
		case 2: f = (b & c) | (b & d) | (c & d); k = 0x8f1bbcdc; break;
		default: f = b ^ c ^ d; k = 0xca62c1d6; break;
		}
		sum = rotate(a, 5) + f + e + words[i] + k;
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = sum;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

const DigestKind sha1 = {
	.name = "SHA1",
	.words = 5,
	.start = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 },
	.big_endian = 1,
	.compress = compress,
};
