/* A sector on its way, and how it comes to its place: as few erases as there may be, read back. */
#include "boot.h"

uint32_t sector[SECTOR_WORDS];
static uint32_t held[SECTOR_WORDS];

/* Whether the flash holds what is in `sector`; whether it is blank there, too. */
static bool holds(uint32_t address, bool *isBlank)
{
	bool isEqual = true;

	*isBlank = true;
	SPIRead(address, held, SECTOR);
	for (uint32_t i = 0; i < SECTOR_WORDS; i++) {
		if (held[i] != sector[i])
			isEqual = false;
		if (~held[i])
			*isBlank = false;
	}
	return isEqual;
}

bool writeSector(uint32_t address, bool isBlock)
{
	bool isBlank;

	for (uint32_t tries = 0; !holds(address, &isBlank); tries++) {
		if (2 == tries)
			return false;
		if (isBlock && !tries && !isBlank)
			SPIEraseBlock(address / BLOCK);
		else if (tries || !isBlank)
			SPIEraseSector(address / SECTOR);
		SPIWrite(address, sector, SECTOR);
	}
	return true;
}
