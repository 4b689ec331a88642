/* A gzip (RFC 1952) in flash. Strict: one member, no bit that is not used, its trailer tells of what came. */
#include "inflate.h"

#define HEADER_LENGTH 10
#define TRAILER_LENGTH 8

static uint32_t crc;

bool isGzip(uint32_t source)
{
	uint32_t word;

	SPIRead(source, &word, sizeof(word));
	return 0x8b1f == (word & 0xffff);
}

static void skipText(void)
{
	while (nextByte() && !input.isDamaged)
		;
}

int openGzip(uint32_t source, uint32_t size, uint32_t *length)
{
	uint32_t method, flags, extra;

	if (size < HEADER_LENGTH + TRAILER_LENGTH)
		return GZIP_HEADER;
	openInput(source + 2, source + size - TRAILER_LENGTH);
	beginInflate();
	crc = ~0u;
	method = nextByte();
	flags = nextByte();
	input.next = source + HEADER_LENGTH;
	if ((8 != method) || (flags & 0xe0))
		return GZIP_HEADER;
	if (flags & 4) {
		extra = nextByte();
		extra |= nextByte() << 8;
		input.next += extra;
	}
	if (flags & 8)
		skipText();
	if (flags & 16)
		skipText();
	if (flags & 2)
		input.next += 2;
	*length = wordAt(input.end + 4);
	return (input.isDamaged || (input.next > input.end)) ? GZIP_HEADER : OK;
}

int inflate(uint8_t *to, uint32_t length)
{
	if (inflateSome(to, length) < length)
		return GZIP_DATA;
	crc = crcOf(crc, to, length);
	return OK;
}

int closeGzip(void)
{
	uint8_t more;
	bool isEnd = (0 == inflateSome(&more, 1)) && isStreamEnded();

	return (isEnd && (input.next == input.end) && (wordAt(input.end) == ~crc)) ? OK : GZIP_DATA;
}
