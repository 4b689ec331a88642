#include "boot.h"

void feed(void)
{
	WATCHDOG_FEED = WATCHDOG_FOOD;
}

uint32_t roundUp(uint32_t length)
{
	return (length + SECTOR - 1) & ~(SECTOR - 1);
}

bool isInside(uint32_t address, uint32_t length, uint32_t start, uint32_t size)
{
	uint32_t offset = address - start;

	return (offset <= size) && (length <= size - offset);
}
