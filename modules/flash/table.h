#ifndef OTA8266_TABLE_H
#define OTA8266_TABLE_H

#include "chip.h"
#include "flash.h"

/*
	The partition table of Espressif's ESP8266_RTOS_SDK (ota/slots/partition-table.ts). It counts where it is whole
	and the code that runs lies in one of its apps: under eboot the same place of the flash holds an application.
	Nothing of it is kept, so that each partition that is opened is checked against what the flash holds.
*/
#define TABLE_OFFSET 0x8000
#define TABLE_LENGTH 0xc00
#define TABLE_NAME "partition_table"

#define ENTRY_MAGIC 0x50aa
#define MD5_MAGIC 0xebeb
#define END_MAGIC 0xffff
#define MD5_LENGTH 16

#define TYPE_APP 0
#define TYPE_DATA 1
#define APP_OTA_0 0x10
#define APP_OTA_END 0x20
#define DATA_PHY 1
#define DATA_SPIFFS 0x82

typedef struct {
	uint16_t magic;
	uint8_t type;
	uint8_t subtype;
	uint32_t offset;
	uint32_t size;
	/* Zero-padded; one of 16 characters has no zero. Of the MD5 entry the digest begins 4 bytes behind. */
	char label[16];
	uint32_t flags;
} TableEntry;

#define TABLE_ENTRIES (TABLE_LENGTH / sizeof(TableEntry))

static uint8_t readEntry(uint32_t index, TableEntry *entry)
{
	return modSPIRead(TABLE_OFFSET + index * sizeof(*entry), sizeof(*entry), (uint8_t *)entry);
}

/* Whether a partition lies on sectors, behind the table, within the flash, and apart from those before it. */
static uint8_t isPlaced(const TableEntry *entry, uint32_t index, uint32_t flashSize)
{
	uint32_t end = entry->offset + entry->size;
	TableEntry other;

	if ((entry->offset % kFlashSectorSize) || (entry->size % kFlashSectorSize) || !entry->size)
		return 0;
	if ((entry->offset < TABLE_OFFSET + TABLE_LENGTH) || (end <= entry->offset) || (end > flashSize))
		return 0;
	while (index-- > 0) {
		if (!readEntry(index, &other))
			return 0;
		if ((entry->offset < other.offset + other.size) && (other.offset < end))
			return 0;
	}
	return 1;
}

static uint8_t isRunning(const TableEntry *entry)
{
	uint32_t code = runningCode();

	return (TYPE_APP == entry->type) && (code >= entry->offset) && (code - entry->offset < entry->size);
}

/* The partitions of the table, or 0 where there is none that counts. */
static uint32_t countPartitions(uint32_t flashSize)
{
	TableEntry entry;
	RomMD5 md5;
	uint8_t digest[MD5_LENGTH], hasMD5 = 0, hasRunning = 0;
	uint32_t count = 0, i;

	MD5Init(&md5);
	for (i = 0; i < TABLE_ENTRIES; i++) {
		if (!readEntry(i, &entry))
			return 0;
		if (END_MAGIC == entry.magic)
			return hasRunning ? count : 0;
		if (hasMD5)
			return 0;
		if (MD5_MAGIC == entry.magic) {
			MD5Final(digest, &md5);
			if (c_memcmp(digest, &entry.label[4], 12) || c_memcmp(digest + 12, &entry.flags, 4))
				return 0;
			hasMD5 = 1;
			continue;
		}
		if ((ENTRY_MAGIC != entry.magic) || !isPlaced(&entry, count, flashSize))
			return 0;
		MD5Update(&md5, (const uint8_t *)&entry, sizeof(entry));
		hasRunning |= isRunning(&entry);
		count++;
	}
	return 0;
}

static uint8_t isSlot(const TableEntry *entry)
{
	return (TYPE_APP == entry->type) && (entry->subtype >= APP_OTA_0) && (entry->subtype < APP_OTA_END);
}

/* The slot behind the running one, by its number, or from the last one on the first; 0 where none is left. */
static uint8_t findNextSlot(uint32_t count, TableEntry *found)
{
	TableEntry entry;
	uint32_t running = 0, best = 0x100, i;

	for (i = 0; i < count; i++) {
		if (readEntry(i, &entry) && isRunning(&entry) && isSlot(&entry))
			running = entry.subtype;
	}
	for (i = 0; i < count; i++) {
		uint32_t distance;

		if (!readEntry(i, &entry) || !isSlot(&entry) || isRunning(&entry))
			continue;
		distance = (entry.subtype - running) & 0xff;
		if (distance < best) {
			best = distance;
			*found = entry;
		}
	}
	return best < 0x100;
}

/* Writable are the slots that do not run, and data; the radio's calibration and the preferences are the SDK's. */
static uint32_t flagsOf(const TableEntry *entry)
{
	uint8_t isWritable = TYPE_DATA == entry->type ? DATA_PHY != entry->subtype : isSlot(entry) && !isRunning(entry);

	if (entry->type > TYPE_DATA)
		isWritable = 0 != c_strncmp("preferences", entry->label, sizeof(entry->label));
	return isWritable ? 0 : PARTITION_READ_ONLY;
}

static uint32_t labelLength(const TableEntry *entry)
{
	uint32_t length = 0;

	while ((length < sizeof(entry->label)) && entry->label[length])
		length++;
	return length;
}

/* The partition of a table of `count` that a name means, as one of a layout; 0 where there is none. */
static uint8_t findInTable(uint32_t count, const char *name, Partition *partition)
{
	TableEntry entry;
	uint8_t isNext = 0 == c_strcmp(name, "nextota");
	uint8_t isFound = isNext && findNextSlot(count, &entry);
	uint32_t i;

	if (0 == c_strcmp(name, TABLE_NAME)) {
		partition->offset = TABLE_OFFSET;
		partition->size = kFlashSectorSize;
		partition->flags = PARTITION_READ_ONLY;
		return 1;
	}
	for (i = 0; !isNext && !isFound && (i < count); i++) {
		if (!readEntry(i, &entry))
			return 0;
		if (0 == c_strcmp(name, "running"))
			isFound = isRunning(&entry);
		else if (0 == c_strcmp(name, "storage"))
			isFound = (TYPE_DATA == entry.type) && (DATA_SPIFFS == entry.subtype);
		else
			isFound = (c_strlen(name) <= sizeof(entry.label)) && (0 == c_strncmp(name, entry.label, sizeof(entry.label)));
	}
	if (isFound) {
		partition->offset = entry.offset;
		partition->size = entry.size;
		partition->flags = flagsOf(&entry);
	}
	return isFound;
}

#endif
