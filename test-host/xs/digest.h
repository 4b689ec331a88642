/* Message digests, for the module crypt. */
#ifndef OTA8266_DIGEST_H
#define OTA8266_DIGEST_H

#include <stdint.h>

#define DIGEST_BLOCK 64
#define DIGEST_WORDS_MAX 8

typedef struct {
	/* Bytes so far. */
	uint64_t length;
	uint32_t state[DIGEST_WORDS_MAX];
	uint8_t block[DIGEST_BLOCK];
} DigestState;

typedef struct {
	const char *name;
	int words;
	uint32_t start[DIGEST_WORDS_MAX];
	/* The length behind the last block and the digest's words: most significant byte first, or last. */
	int big_endian;
	void (*compress)(uint32_t *state, const uint8_t *block);
} DigestKind;

extern const DigestKind md5;
extern const DigestKind sha1;
extern const DigestKind sha256;

#endif
