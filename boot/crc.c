#include "boot.h"

/* In flash it would take 1 KiB of the sector. */
static uint32_t table[256];

void makeCRCTable(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (uint32_t bit = 0; bit < 8; bit++)
			value = (value >> 1) ^ ((value & 1) ? 0xedb88320 : 0);
		table[i] = value;
	}
}

uint32_t crcOf(uint32_t crc, const uint8_t *bytes, uint32_t length)
{
	const uint8_t *end = bytes + length;

	while (bytes < end)
		crc = table[(crc ^ *bytes++) & 0xff] ^ (crc >> 8);
	return crc;
}

uint32_t crcOfWords(const volatile uint32_t *words, uint32_t count)
{
	uint32_t crc = ~0u;

	while (count--) {
		uint32_t word = *words++;

		for (uint32_t i = 0; i < 4; i++, word >>= 8) {
			crc ^= word << 24;
			for (uint32_t bit = 0; bit < 8; bit++)
				crc = (crc << 1) ^ (((int32_t)crc < 0) ? 0x04c11db7 : 0);
		}
	}
	return crc;
}
