/* What is staged takes the place of what runs, or of a filesystem. */
#include "boot.h"

static Job jobOf(const Header *header)
{
	Job job = {
		.source = header->source,
		.destination = header->destination,
		.size = header->size,
		.length = header->length,
		.isGzip = 0 != (header->flags & GZIP),
		.isImage = 0 == header->destination,
		.first = header->destination ? 0 : APPLICATION,
		.progress = boot_config.record + INSTALLING_PROGRESS,
		.crc = header->crc,
		.isCRCKnown = true,
	};

	if (header->flags & CRC_UNKNOWN) {
		job.crc = record.resultCRC;
		job.isCRCKnown = record.resultCRC == ~record.resultCRCInverted;
	}
	return job;
}

/* Whether sectors of a range are the boot loader's own. */
static bool meetsOwn(uint32_t start, uint32_t end)
{
	return ((start <= boot_config.record) && (boot_config.record < end))
		|| ((start < boot_config.stages + 2 * SECTOR) && (boot_config.stages < end));
}

static int checkPlace(const Job *job)
{
	uint32_t staged = roundUp(job->size);

	if ((job->source | job->destination) % SECTOR)
		return ALIGNMENT;
	if ((job->size - 1 >= FLASH_MAX) || (job->source < APPLICATION)
			|| !isInside(job->source, staged, 0, boot_config.flashSize)
			|| meetsOwn(job->source, job->source + staged))
		return PLACE;
	if (!job->isImage && !isInside(job->destination, SECTOR, boot_config.filesystem,
			boot_config.filesystemEnd - boot_config.filesystem))
		return PLACE;
	return OK;
}

/* Finds out the result's length, and whether there is room for it; sectors that it shares with its source are told to the job. */
static int open(Job *job)
{
	uint32_t start = job->destination + job->first;
	uint32_t end;

	job->length = job->size;
	if (job->isGzip && openGzip(job->source, job->size, &job->length))
		return GZIP_HEADER;
	if (job->length > (job->isImage ? boot_config.applicationEnd : boot_config.filesystemEnd - job->destination))
		return ROOM;
	end = job->destination + roundUp(job->length);
	if (meetsOwn(start, end))
		return ROOM;
	job->overlaps = (start < job->source + roundUp(job->size)) && (job->source < end);
	return (job->overlaps && (job->isGzip || (job->destination > job->source))) ? ROOM : OK;
}

int take(const volatile uint32_t *command)
{
	Header header = {.source = command[0], .destination = command[1], .size = command[2]};
	Job job = jobOf(&header);
	int result = checkPlace(&job);

	if (result)
		return result;
	job.isCRCKnown = false;
	job.isGzip = isGzip(job.source);
	header.flags = job.isGzip ? GZIP : 0;
	result = open(&job);
	if (!result)
		result = checkContent(&job, FROM_SOURCE);
	if (result)
		return result;
	header.length = job.length;
	header.crc = job.crc;
	return writeRecord(&header) ? install(true) : WRITE;
}

static int begin(Job *job, bool isRead)
{
	uint32_t staged = job->source + roundUp(job->size);
	int result = checkPlace(job);

	if (!result)
		result = open(job);
	if (!result && (job->length != record.header.length))
		result = OTHER;
	if (!result && !isRead)
		result = checkContent(job, FROM_SOURCE);
	if (result) {
		set(REFUSED);
		return result;
	}
	if (job->isImage) {
		noteBefore();
		if ((job->source >= boot_config.previousEnd) || (staged <= boot_config.previous))
			keep();
	}
	if (record.header.flags & CRC_UNKNOWN) {
		record.resultCRC = job->crc;
		record.resultCRCInverted = ~job->crc;
		keepWords(&record.resultCRC, 8);
	}
	set(BEGUN);
	return OK;
}

static int takeUp(Job *job, From *from)
{
	int result = open(job);

	if (!result && !job->isGzip && (OK == checkContent(job, FROM_BOTH))) {
		*from = FROM_BOTH;
		return OK;
	}
	if (!result)
		result = checkContent(job, FROM_SOURCE);
	if (!result)
		return OK;
	// What is staged was harmed since. What is in its place may be all of the new, or still the one before.
	job->length = record.header.length;
	if (job->isCRCKnown && (OK == checkContent(job, FROM_DESTINATION))) {
		*from = FROM_DESTINATION;
		return OK;
	}
	if (!job->isImage || isBefore())
		set(REFUSED);
	else if (is(KEPT))
		set(RESTORE);
	return result;
}

int install(bool isRead)
{
	Job job = jobOf(&record.header);
	From from = FROM_SOURCE;
	int result = is(BEGUN) ? takeUp(&job, &from) : begin(&job, isRead);

	if (!result)
		result = copy(&job, from);
	if (!result)
		set(INSTALLED);
	return result;
}

bool isResult(void)
{
	Job job = jobOf(&record.header);

	job.isImage = false;
	return job.length && !job.destination && job.isCRCKnown && (OK == checkContent(&job, FROM_DESTINATION));
}
