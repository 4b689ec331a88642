/* Inflates a stream (RFC 1951), some bytes at a time. Strict: codes are whole, matches lie in what came, no block is left open. */
#include "inflate.h"

#define WINDOW 0x8000u
#define BITS_MAX 15
#define LITERALS_MAX 288
#define DISTANCES_MAX 32
#define END_OF_BLOCK 256

/* Symbols ordered by their codes, and how many codes there are of each length. */
typedef struct {
	uint16_t counts[BITS_MAX + 1];
	uint16_t symbols[LITERALS_MAX];
} Codes;

typedef enum { NEW_BLOCK, STORED, CODED } Block;

static struct {
	/* Bytes given. */
	uint32_t total;
	uint32_t matchDistance;
	/* Bytes of the match, or of the stored block, that have yet to be given. */
	uint32_t left;
	Block block;
	bool isLast;
} stream;

static Codes literals, distances;
static uint8_t window[WINDOW];

void beginInflate(void)
{
	stream.total = 0;
	stream.left = 0;
	stream.block = NEW_BLOCK;
	stream.isLast = false;
}

bool isStreamEnded(void)
{
	return stream.isLast && (NEW_BLOCK == stream.block) && !input.isDamaged;
}

/* False where the lengths are those of no code. One that is not complete may have one symbol only. */
static bool makeCodes(Codes *codes, const uint8_t *lengths, uint32_t count)
{
	uint16_t offsets[BITS_MAX + 2];
	int32_t left = 1;
	uint32_t i;

	for (i = 0; i <= BITS_MAX; i++)
		codes->counts[i] = 0;
	for (i = 0; i < count; i++)
		codes->counts[lengths[i]] += 1;
	codes->counts[0] = 0;
	offsets[1] = 0;
	for (i = 1; i <= BITS_MAX; i++) {
		left = (left << 1) - codes->counts[i];
		if (left < 0)
			return false;
		offsets[i + 1] = offsets[i] + codes->counts[i];
	}
	for (i = 0; i < count; i++) {
		if (lengths[i])
			codes->symbols[offsets[lengths[i]]++] = i;
	}
	return (0 == left) || (offsets[BITS_MAX + 1] <= 1);
}

/* LITERALS_MAX where the bits are no code. */
static uint32_t symbol(const Codes *codes)
{
	const uint16_t *symbols = codes->symbols;
	const uint16_t *count = codes->counts;
	const uint16_t *last = count + BITS_MAX;
	uint32_t value = LITERALS_MAX;
	uint32_t held = input.bits;
	uint32_t heldCount = input.bitCount;
	uint32_t code = 0;

	while (count++ < last) {
		if (0 == heldCount) {
			held = nextByte();
			heldCount = 8;
		}
		code += held & 1;
		held >>= 1;
		heldCount -= 1;
		if (code < *count) {
			value = symbols[code];
			break;
		}
		symbols += *count;
		code = (code - *count) << 1;
	}
	input.bits = held;
	input.bitCount = heldCount;
	return value;
}

static bool readCodes(void)
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	uint8_t lengths[LITERALS_MAX + DISTANCES_MAX];
	uint32_t literalCount = 257 + bits(5);
	uint32_t count = literalCount + 1 + bits(5);
	uint32_t orderCount = 4 + bits(4);
	uint32_t i;

	for (i = 0; i < sizeof(order); i++)
		lengths[order[i]] = (i < orderCount) ? bits(3) : 0;
	if (!makeCodes(&literals, lengths, sizeof(order)))
		return false;
	for (i = 0; i < count;) {
		uint32_t length = symbol(&literals);
		uint32_t repeat = 1;

		if (length > 15) {
			if (16 == length)
				repeat = 3 + bits(2);
			else
				repeat = (17 == length) ? 3 + bits(3) : 11 + bits(7);
			if ((length > 18) || ((16 == length) && (0 == i)) || (i + repeat > count))
				return false;
			length = (16 == length) ? lengths[i - 1] : 0;
		}
		while (repeat--)
			lengths[i++] = length;
	}
	return lengths[END_OF_BLOCK] && makeCodes(&literals, lengths, literalCount)
		&& makeCodes(&distances, lengths + literalCount, count - literalCount);
}

static void fixedCodes(void)
{
	uint8_t lengths[LITERALS_MAX];

	for (uint32_t i = 0; i < LITERALS_MAX; i++)
		lengths[i] = (i < 144) ? 8 : (i < 256) ? 9 : (i < 280) ? 7 : 8;
	makeCodes(&literals, lengths, LITERALS_MAX);
	for (uint32_t i = 0; i < DISTANCES_MAX; i++)
		lengths[i] = 5;
	makeCodes(&distances, lengths, DISTANCES_MAX);
}

static bool beginBlock(void)
{
	uint32_t type;

	if (stream.isLast)
		return false;
	stream.isLast = bits(1);
	type = bits(2);
	stream.block = CODED;
	if (0 == type) {
		stream.block = STORED;
		input.bitCount = 0;
		input.bits = 0;
		stream.left = bits(16);
		return stream.left == (bits(16) ^ 0xffff);
	}
	if (1 == type)
		fixedCodes();
	return (1 == type) || ((2 == type) && readCodes());
}

/* A match begins; false where there is none like that. */
static bool beginMatch(uint32_t length)
{
	uint32_t extra, distance;

	if (length < 8)
		stream.left = length + 3;
	else if (length < 28) {
		extra = (length >> 2) - 1;
		stream.left = ((4 + (length & 3)) << extra) + 3 + bits(extra);
	}
	else
		stream.left = 258;
	distance = symbol(&distances);
	if ((length > 28) || (distance > 29))
		return false;
	if (distance > 3) {
		extra = (distance >> 1) - 1;
		distance = ((2 + (distance & 1)) << extra) + bits(extra);
	}
	stream.matchDistance = distance + 1;
	return stream.matchDistance <= stream.total;
}

uint32_t inflateSome(uint8_t *to, uint32_t length)
{
	uint32_t done = 0;

	while (done < length) {
		uint32_t value;

		if (NEW_BLOCK == stream.block) {
			if (!beginBlock())
				break;
		}
		else if (stream.left) {
			stream.left -= 1;
			value = (STORED == stream.block) ? bits(8) : window[(stream.total - stream.matchDistance) % WINDOW];
			window[stream.total++ % WINDOW] = value;
			to[done++] = value;
			continue;
		}
		else if (STORED == stream.block)
			stream.block = NEW_BLOCK;
		else {
			value = symbol(&literals);
			if (value < END_OF_BLOCK) {
				window[stream.total++ % WINDOW] = value;
				to[done++] = value;
			}
			else if (END_OF_BLOCK == value)
				stream.block = NEW_BLOCK;
			else if (!beginMatch(value - END_OF_BLOCK - 1))
				break;
		}
		if (input.isDamaged)
			break;
	}
	return done;
}
