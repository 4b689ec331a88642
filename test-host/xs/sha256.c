/* SHA-256 (RFC 6234): the compression of one block. */
#include "digest.h"

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t word, int turn)
{
	return word >> turn | word << (32 - turn);
}

#define STEP(A, B, C, D, E, F, G, H, I) \
	s[H] += (rotate(s[E], 6) ^ rotate(s[E], 11) ^ rotate(s[E], 25)) + (s[G] ^ (s[E] & (s[F] ^ s[G]))) \
		+ constants[I] + words[I]; \
	s[D] += s[H]; \
	s[H] += (rotate(s[A], 2) ^ rotate(s[A], 13) ^ rotate(s[A], 22)) + ((s[A] & s[B]) | (s[C] & (s[A] | s[B])));

static void compress(uint32_t *state, const uint8_t *block)
{
	uint32_t words[64], s[8];
	for (int i = 0; i < 16; i++, block += 4)
		words[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
	for (int i = 16; i < 64; i++) {
		uint32_t x = words[i - 15], y = words[i - 2];
		words[i] = words[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + words[i - 7]
			+ (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
	}
	for (int i = 0; i < 8; i++)
		s[i] = state[i];
	/* Eight steps at a time, after which the words have their places again. */
	for (int i = 0; i < 64; i += 8) {
		STEP(0, 1, 2, 3, 4, 5, 6, 7, i)
		STEP(7, 0, 1, 2, 3, 4, 5, 6, i + 1)
		STEP(6, 7, 0, 1, 2, 3, 4, 5, i + 2)
		STEP(5, 6, 7, 0, 1, 2, 3, 4, i + 3)
		STEP(4, 5, 6, 7, 0, 1, 2, 3, i + 4)
		STEP(3, 4, 5, 6, 7, 0, 1, 2, i + 5)
		STEP(2, 3, 4, 5, 6, 7, 0, 1, i + 6)
		STEP(1, 2, 3, 4, 5, 6, 7, 0, i + 7)
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

const DigestKind sha256 = {
	.name = "SHA256",
	.words = 8,
	.start = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 },
	.big_endian = 1,
	.compress = compress,
};
