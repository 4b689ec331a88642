/* Brings a result to its place. */
#include "boot.h"

static bool bring(const Job *job, uint32_t offset)
{
	uint32_t address = job->destination + offset;
	bool isBlock = !job->overlaps && (0 == address % BLOCK) && (roundUp(job->length) - offset >= BLOCK);
	uint32_t i = offset / SECTOR;
	uint32_t place = job->progress + i / 32 * 4;
	uint32_t bit = 1u << (i % 32);
	uint32_t bits;

	if (!writeSector(address, isBlock))
		return false;
	SPIRead(place, &bits, sizeof(bits));
	if (bits & bit) {
		bits &= ~bit;
		SPIWrite(place, &bits, sizeof(bits));
	}
	return true;
}

int copy(Job *job, From from)
{
	int result = eachSector(job, from, bring);

	return (result || checkContent(job, FROM_DESTINATION)) ? WRITE : OK;
}
