/* `Digest` of the SDK's module crypt: its state is a chunk of the instance, as on the device. */
#include "digest.h"

#include <stdbool.h>
#include <string.h>

#include "xsmc.h"

static const DigestKind *const kinds[] = { &md5, &sha1, &sha256 };
#define KIND_COUNT ((int)(sizeof(kinds) / sizeof(kinds[0])))

typedef struct {
	int kind;
	bool closed;
	DigestState state;
} Digest;

/* Nothing to free. Its address tells instances of ours from other host objects. */
void xs_digest_destructor(void *data)
{
	(void)data;
}

static Digest *digest_of(xsMachine *the)
{
	Digest *digest = fxGetHostChunkValidate(the, &xsThis, (void *)xs_digest_destructor);
	return digest;
}

static Digest *open_digest(xsMachine *the)
{
	Digest *digest = digest_of(the);
	if (digest->closed)
		xsUnknownError("crypt: digest is closed");
	return digest;
}

static void begin(Digest *digest)
{
	memset(&digest->state, 0, sizeof(digest->state));
	memcpy(digest->state.state, kinds[digest->kind]->start, sizeof(digest->state.state));
	digest->closed = false;
}

static void update(Digest *digest, const uint8_t *bytes, uint32_t length)
{
	DigestState *state = &digest->state;
	while (length > 0) {
		uint32_t fill = (uint32_t)(state->length % DIGEST_BLOCK);
		uint32_t part = DIGEST_BLOCK - fill < length ? DIGEST_BLOCK - fill : length;
		memcpy(state->block + fill, bytes, part);
		state->length += part;
		bytes += part;
		length -= part;
		if (fill + part == DIGEST_BLOCK)
			kinds[digest->kind]->compress(state->state, state->block);
	}
}

static void finish(Digest *digest, uint8_t *result)
{
	static const uint8_t padding[DIGEST_BLOCK] = { 0x80 };
	const DigestKind *kind = kinds[digest->kind];
	DigestState *state = &digest->state;
	uint64_t bits = 8 * state->length;
	uint32_t fill = (uint32_t)(state->length % DIGEST_BLOCK);
	uint8_t length[8];
	update(digest, padding, (fill < 56 ? 56 : 120) - fill);
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> 8 * (kind->big_endian ? 7 - i : i));
	update(digest, length, sizeof(length));
	for (int i = 0; i < 4 * kind->words; i++)
		result[i] = (uint8_t)(state->state[i / 4] >> 8 * (kind->big_endian ? 3 - i % 4 : i % 4));
	digest->closed = true;
}

void xs_digest_constructor(xsMachine *the)
{
	const char *name = xsmcToString(xsArg(0));
	for (int i = 0; i < KIND_COUNT; i++) {
		Digest *digest;
		if (strcmp(kinds[i]->name, name))
			continue;
		digest = xsmcSetHostChunk(xsThis, NULL, sizeof(Digest));
		digest->kind = i;
		begin(digest);
		return;
	}
	xsUnknownError("crypt: unsupported digest");
}

void xs_digest_write(xsMachine *the)
{
	const void *bytes;
	xsUnsignedValue length;
	if (xsmcTypeOf(xsArg(0)) == xsStringType || xsmcTypeOf(xsArg(0)) == xsStringXType) {
		bytes = xsmcToString(xsArg(0));
		length = (xsUnsignedValue)strlen(bytes);
	}
	else {
		void *buffer;
		xsmcGetBufferReadable(xsArg(0), &buffer, &length);
		bytes = buffer;
	}
	update(open_digest(the), bytes, length);
}

void xs_digest_close(xsMachine *the)
{
	uint8_t result[4 * DIGEST_WORDS_MAX];
	Digest *digest = open_digest(the);
	finish(digest, result);
	xsmcSetArrayBuffer(xsResult, result, 4 * kinds[digest->kind]->words);
}

void xs_digest_reset(xsMachine *the)
{
	begin(digest_of(the));
}
