/* The application before: kept, and brought back. */
#include "boot.h"

static Job jobBefore(uint32_t source, uint32_t destination)
{
	return (Job){
		.source = source,
		.destination = destination,
		.length = record.beforeLength,
		.crc = record.beforeCRC,
		.isCRCKnown = (record.beforeLength == ~record.beforeLengthInverted)
			&& (record.beforeCRC == ~record.beforeCRCInverted),
		.isImage = true,
	};
}

void noteBefore(void)
{
	Job job = {
		.source = APPLICATION,
		.length = verifyImage(APPLICATION, boot_config.applicationEnd),
		.isImage = true,
	};

	if ((0 == job.length) || checkContent(&job, FROM_SOURCE))
		return;
	record.beforeLength = job.length;
	record.beforeCRC = job.crc;
	record.beforeLengthInverted = ~job.length;
	record.beforeCRCInverted = ~job.crc;
	keepWords(&record.beforeLength, 16);
}

bool isBefore(void)
{
	Job job = jobBefore(APPLICATION, 0);

	return job.isCRCKnown && (OK == checkContent(&job, FROM_SOURCE));
}

void keep(void)
{
	Job job = jobBefore(APPLICATION, boot_config.previous);

	job.progress = boot_config.record + KEEPING_PROGRESS;
	if (is(KEPT) || !job.isCRCKnown || (job.length > boot_config.previousEnd - boot_config.previous))
		return;
	if ((OK == checkContent(&job, FROM_SOURCE)) && (OK == copy(&job, FROM_SOURCE)))
		set(KEPT);
}

void restore(void)
{
	Job job = jobBefore(boot_config.previous, APPLICATION);
	From from = FROM_SOURCE;

	job.progress = boot_config.record + RESTORING_PROGRESS;
	job.isCRCKnown = job.isCRCKnown && is(KEPT);
	if (!job.isCRCKnown)
		job.length = verifyImage(boot_config.previous, boot_config.previousEnd);
	else if (OK == checkContent(&job, FROM_BOTH))
		from = FROM_BOTH;
	else if (OK == checkContent(&job, FROM_DESTINATION))
		from = FROM_DESTINATION;
	if ((0 == job.length) || ((FROM_SOURCE == from) && checkContent(&job, FROM_SOURCE)))
		return;
	ets_printf("back\n");
	set(RESTORING);
	if (OK == copy(&job, from))
		set(RESTORED);
}

void wayBack(void)
{
	Header header = {.flags = ONLY_RESTORE};

	// What was begun may yet be taken up again.
	if (!verifyImage(boot_config.previous, boot_config.previousEnd))
		return;
	// Its record stays: without it a place that is half written would be trusted.
	if (record.header.magic && !is(RESTORED))
		set(RESTORE);
	else if (!writeRecord(&header))
		return;
	restore();
}
