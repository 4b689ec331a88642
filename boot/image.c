/*
	An application's image as the mask ROM's format has it: header (magic, count of segments, mode, size; entry), segments
	(address, length, data), its checksum at the end of a line of 16 bytes. Read as words, from its start on.
*/
#include "boot.h"

#define IMAGE_MAGIC 0xe9
#define SEGMENTS_MAX 16
#define CHECKSUM_START 0xef
/* The Arduino packer changes these words of the first segment when the checksum is made: length of the file, and CRC. */
#define PACKER_WORD 4

#define DATA_RAM 0x3ffe8000u
#define DATA_RAM_SIZE 0x14000u
#define CODE_RAM 0x40100000u
/* Below the second stage. */
#define CODE_RAM_SIZE 0xe000u
#define MAP 0x40200000u
#define MAP_SIZE 0x100000u

typedef enum { HEADER, ENTRY, ADDRESS, LENGTH, DATA, CHECKSUM, DONE, BAD } Expected;

static struct {
	Expected expected;
	/* Bytes read. */
	uint32_t position;
	uint32_t segments;
	uint32_t entry;
	bool isEntryLoaded;
	uint32_t address;
	/* Words of the segment's data. */
	uint32_t left;
	uint32_t sum;
	uint32_t packer[2];
} image;

bool isLoaded(uint32_t address)
{
	return (address < 0x40000000) || (address - CODE_RAM < 0xc000) || (address >= 0x60000000);
}

static bool isGoodSegment(uint32_t address, uint32_t length)
{
	if ((length % 4) || (length > FLASH_MAX))
		return false;
	if (!isLoaded(address))
		return isInside(address, length, MAP, MAP_SIZE);
	if (isInside(address, length, CODE_RAM, CODE_RAM_SIZE)) {
		if (image.entry - address < length)
			image.isEntryLoaded = true;
	}
	else if (!isInside(address, length, DATA_RAM, DATA_RAM_SIZE))
		return false;
	return 0 == address % 4;
}

static bool isChecksum(uint32_t sum, uint8_t expected)
{
	sum ^= sum >> 16;
	return expected == (((sum ^ (sum >> 8)) & 0xff) ^ CHECKSUM_START);
}

static void next(uint32_t word)
{
	Expected then = BAD;

	switch (image.expected) {
	case HEADER:
		image.segments = (word >> 8) & 0xff;
		if ((IMAGE_MAGIC == (word & 0xff)) && (image.segments - 1 < SEGMENTS_MAX))
			then = ENTRY;
		break;
	case ENTRY:
		image.entry = word;
		then = ADDRESS;
		break;
	case ADDRESS:
		image.address = word;
		then = LENGTH;
		break;
	case LENGTH:
		if (!isGoodSegment(image.address, word))
			break;
		image.left = word / 4;
		image.segments -= 1;
		then = word ? DATA : (image.segments ? ADDRESS : CHECKSUM);
		break;
	case CHECKSUM:
		if (12 != image.position % 16)
			return;
		if (image.isEntryLoaded && (isChecksum(image.sum, word >> 24)
				|| ((image.packer[0] == APPLICATION + image.position + 4)
					&& isChecksum(image.sum ^ image.packer[0] ^ image.packer[1], word >> 24))))
			then = DONE;
		break;
	default:
		return;
	}
	image.expected = then;
}

void beginImage(void)
{
	image.expected = HEADER;
	image.position = 0;
	image.isEntryLoaded = false;
	image.sum = 0;
}

void readImage(const uint32_t *words, const uint32_t *end)
{
	if ((0 == image.position) && (end - words > PACKER_WORD + 1)) {
		image.packer[0] = words[PACKER_WORD];
		image.packer[1] = words[PACKER_WORD + 1];
	}
	while ((words < end) && (image.expected < DONE)) {
		if (DATA == image.expected) {
			uint32_t count = end - words;
			uint32_t sum = image.sum;
			const uint32_t *last;

			if (count > image.left)
				count = image.left;
			for (last = words + count; words < last; words++)
				sum ^= *words;
			image.sum = sum;
			image.position += 4 * count;
			image.left -= count;
			if (0 == image.left)
				image.expected = image.segments ? ADDRESS : CHECKSUM;
			continue;
		}
		next(*words++);
		image.position += 4;
	}
}

uint32_t imageLength(void)
{
	return (DONE == image.expected) ? image.position : 0;
}

uint32_t verifyImage(uint32_t address, uint32_t end)
{
	beginImage();
	for (; (image.expected < DONE) && (address < end); address += SECTOR) {
		feed();
		SPIRead(address, sector, SECTOR);
		readImage(sector, sector + SECTOR_WORDS);
	}
	return imageLength();
}
