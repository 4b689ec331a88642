/* The application before: kept, and brought back. */
#include "boot.h"

void keep(void)
{
	uint32_t room = boot_config.previousEnd - boot_config.previous;
	uint32_t length = roundUp(verifyImage(APPLICATION, boot_config.applicationEnd));
	Job job = {
		.source = APPLICATION,
		.destination = boot_config.previous,
		.length = length,
		.progress = boot_config.record + KEEPING_PROGRESS,
		.isImage = true,
	};

	if ((0 == length) || (length > room) || is(KEPT))
		return;
	if (checkContent(&job, FROM_SOURCE) || copy(&job, FROM_SOURCE))
		return;
	record.keptLength = length;
	record.keptCRC = job.crc;
	record.keptLengthInverted = ~length;
	record.keptCRCInverted = ~job.crc;
	keepWords(&record.keptLength, 16);
	set(KEPT);
}

void restore(void)
{
	Job job = {
		.source = boot_config.previous,
		.destination = APPLICATION,
		.progress = boot_config.record + RESTORING_PROGRESS,
		.isImage = true,
	};
	From from = FROM_SOURCE;

	if (is(KEPT) && (record.keptLength == ~record.keptLengthInverted)
			&& (record.keptCRC == ~record.keptCRCInverted)) {
		job.length = record.keptLength;
		job.crc = record.keptCRC;
		job.isCRCKnown = true;
		if (OK == checkContent(&job, FROM_BOTH))
			from = FROM_BOTH;
	}
	else
		job.length = roundUp(verifyImage(boot_config.previous, boot_config.previousEnd));
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
