/* What is staged: read, inflated, and looked at before the first erase. */
#include "boot.h"

static bool isInPlace(const Job *job, uint32_t offset)
{
	uint32_t i = offset / SECTOR;
	uint32_t word;

	SPIRead(job->progress + i / 32 * 4, &word, sizeof(word));
	return 0 == ((word >> (i % 32)) & 1);
}

static bool isInflated(const Job *job, From from)
{
	return job->isGzip && (FROM_DESTINATION != from);
}

/* Fills `sector` with a part of the result, FF behind its end. In order, from the start on, of a gzip. */
static int readResult(const Job *job, From from, uint32_t offset)
{
	uint32_t length = job->length - offset;

	feed();
	if (length > SECTOR)
		length = SECTOR;
	if (isInflated(job, from)) {
		if (inflate((uint8_t *)sector, length))
			return GZIP_DATA;
	}
	else {
		if ((FROM_BOTH == from) && isInPlace(job, offset))
			from = FROM_DESTINATION;
		SPIRead(offset + ((FROM_DESTINATION == from) ? job->destination : job->source), sector, SECTOR);
	}
	for (; length < SECTOR; length++)
		((uint8_t *)sector)[length] = 0xff;
	return OK;
}

int eachSector(const Job *job, From from, Visit visit)
{
	uint32_t length, offset = job->first;

	// Out of a record that no updater writes.
	if (job->length > FLASH_MAX)
		return GZIP_DATA;
	if (isInflated(job, from)) {
		openGzip(job->source, job->size, &length);
		offset = 0;
	}
	for (; offset < job->length; offset += SECTOR) {
		if (readResult(job, from, offset))
			return GZIP_DATA;
		if ((offset >= job->first) && !visit(job, offset))
			return WRITE;
	}
	return isInflated(job, from) ? closeGzip() : OK;
}

static uint32_t crc;

static bool look(const Job *job, uint32_t offset)
{
	uint32_t length = job->length - offset;

	if (length > SECTOR)
		length = SECTOR;
	crc = crcOf(crc, (const uint8_t *)sector, length);
	readImage(sector, sector + length / 4);
	return true;
}

int checkContent(Job *job, From from)
{
	int result;

	beginImage();
	crc = ~0u;
	result = eachSector(job, from, look);
	if (result)
		return result;
	if (job->isImage && !imageLength())
		return IMAGE;
	if (job->isCRCKnown && (~crc != job->crc))
		return OTHER;
	job->crc = ~crc;
	job->isCRCKnown = true;
	return OK;
}
