/* Bytes and bits of what is staged, one after the other; the lowest bit of a byte comes first. */
#include "inflate.h"

Input input;
static uint32_t buffer[SECTOR_WORDS];

void openInput(uint32_t start, uint32_t end)
{
	input = (Input){.next = start, .end = end, .loaded = ~0u};
}

static uint32_t byteAt(uint32_t address)
{
	if (address / SECTOR != input.loaded) {
		input.loaded = address / SECTOR;
		SPIRead(input.loaded * SECTOR, buffer, SECTOR);
	}
	return ((const uint8_t *)buffer)[address % SECTOR];
}

uint32_t wordAt(uint32_t address)
{
	return byteAt(address) | (byteAt(address + 1) << 8) | (byteAt(address + 2) << 16) | (byteAt(address + 3) << 24);
}

uint32_t nextByte(void)
{
	if (input.next < input.end)
		return byteAt(input.next++);
	input.isDamaged = true;
	return 0;
}

uint32_t bits(uint32_t count)
{
	uint32_t value;

	while (input.bitCount < count) {
		input.bits |= nextByte() << input.bitCount;
		input.bitCount += 8;
	}
	value = input.bits & ((1u << count) - 1);
	input.bits >>= count;
	input.bitCount -= count;
	return value;
}
