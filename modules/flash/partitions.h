#ifndef OTA8266_PARTITIONS_H
#define OTA8266_PARTITIONS_H

/* The partitions of this chip: those of the table in its flash, or of the layout for its size where it has none. */
#include "chip.h"
#include "flash.h"
#include "layouts.h"
#include "table.h"

#define APPLICATION_OFFSET 0x1000
#define IMAGE_MAGIC 0xe9
#define SEGMENTS_MAX 16
/* Of an image and of a segment alike. */
#define HEADER_LENGTH 8
/* What the flash cache maps at a time. */
#define MIB 0x100000

/* The sector behind the application at 0x1000, or 0 where its headers make no sense below `limit`. */
static uint32_t endOfRunning(uint32_t limit)
{
	uint32_t header[2];
	uint32_t end = APPLICATION_OFFSET;
	uint32_t segments;

	if (!modSPIRead(end, HEADER_LENGTH, (uint8_t *)header))
		return 0;
	segments = (header[0] >> 8) & 0xff;
	if (((header[0] & 0xff) != IMAGE_MAGIC) || (segments > SEGMENTS_MAX))
		return 0;
	for (end += HEADER_LENGTH; segments > 0; segments--) {
		if ((end + HEADER_LENGTH > limit) || !modSPIRead(end, HEADER_LENGTH, (uint8_t *)header))
			return 0;
		end += HEADER_LENGTH;
		if (header[1] > limit - end)
			return 0;
		end += header[1];
	}
	// The checksum is the last byte of a line of 16.
	end = (end + 16) & ~(uint32_t)15;
	end = (end + kFlashSectorSize - 1) & ~(uint32_t)(kFlashSectorSize - 1);
	return (end > limit) ? 0 : end;
}

/*
	Whether a damaged partition table lies in its place, not an application of eboot, whose first segment is mapped;
	or the code that runs is none of a layout's. Then no partition is safe to touch.
*/
static uint8_t isTableBroken(void)
{
	/* Of the image at 0x1000: magic, entry, first segment's address, length. */
	uint32_t header[4];
	TableEntry entry;

	if (runningCode() >= MIB)
		return 1;
	if (!readEntry(0, &entry) || (ENTRY_MAGIC != entry.magic))
		return 0;
	if (!modSPIRead(APPLICATION_OFFSET, sizeof(header), (uint8_t *)header))
		return 1;
	return ((header[0] & 0xff) != IMAGE_MAGIC) || (header[2] - FLASH_MAP >= MIB);
}

/* The partition of this chip's table, or of its layout where it has none; 0 where there is none of that name. */
static uint8_t findPartition(const char *name, Partition *partition)
{
	uint32_t flashSize = configuredFlashSize();
	uint32_t count = countPartitions(flashSize);
	uint32_t i;

	if (count || isTableBroken())
		return findInTable(count, name, partition);
	for (i = 0; i < PARTITION_COUNT; i++) {
		if ((partitions[i].flashSize == flashSize) && (0 == c_strcmp(partitions[i].name, name))) {
			partition->offset = partitions[i].offset;
			partition->size = partitions[i].size;
			partition->flags = partitions[i].flags;
			return 1;
		}
	}
	return 0;
}

static const char *const parts[] = { "running", "nextota", "storage", TABLE_NAME };
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static uint8_t isPart(const TableEntry *entry)
{
	uint32_t i;

	for (i = 0; i < PART_COUNT; i++) {
		if (0 == c_strncmp(parts[i], entry->label, sizeof(entry->label)))
			return 1;
	}
	return 0;
}

/* (index): the name of a partition of the chip's table: those that have a part to play, then the other labels; undefined behind the last. */
static void nameInTable(xsMachine *the, uint32_t count, uint32_t left)
{
	uint32_t i;

	for (i = 0; i < PART_COUNT; i++) {
		Partition partition;

		if (findInTable(count, parts[i], &partition) && (0 == left--)) {
			xsmcSetString(xsResult, (char *)parts[i]);
			return;
		}
	}
	for (i = 0; i < count; i++) {
		TableEntry entry;

		if (readEntry(i, &entry) && !isPart(&entry) && (0 == left--)) {
			xsmcSetStringBuffer(xsResult, entry.label, labelLength(&entry));
			return;
		}
	}
}

#endif
