/*
 * embedded:storage/key-value as the SDK has it on the ESP8266, only format "buffer". The format, and the order of
 * the flash operations: test-host/shims/key-value.ts.
 */
#include <string.h>

#include "options.h"
#include "xsHost.h"
#include "../../modules/flash/layouts.h"

#define MAGIC 0x81213141u
#define TYPE_BUFFER 0x82
#define PATH_MAX 31
#define VALUE_MAX 63
#define ENTRY_MAX 128
#define NAME_MAX (2 * 64)

typedef struct {
	int open;
	int readOnly;
	char path[PATH_MAX + 1];
} Storage;

/* Offsets in a sector. */
typedef struct {
	uint32_t at, size, value, length;
} Entry;

static const char *const formats[] = { "buffer", NULL };
static uint8_t sector_bytes[kFlashSectorSize];

void xs_key_value_destructor(void *data)
{
	(void)data;
}

/* In a slot: the place by the partition table, by which a build for slots is linked. */
static uint32_t preferences_of_table(void)
{
	uint8_t entry[32];
	for (uint32_t at = 0x8000; at < 0x8c00; at += sizeof(entry)) {
		modSPIRead(at, sizeof(entry), entry);
		if (!strcmp((const char *)entry + 12, "preferences"))
			return entry[4] | (uint32_t)entry[5] << 8 | (uint32_t)entry[6] << 16;
	}
	return 0;
}

/* The first of the two sectors. */
static uint32_t preferences(xsMachine *the)
{
	if (chip.running && preferences_of_table())
		return preferences_of_table();
	for (uint32_t i = 0; i < PARTITION_COUNT; i++)
		if (partitions[i].flashSize == chip.flash_size && !strcmp(partitions[i].name, "preferences"))
			return partitions[i].offset;
	xsUnknownError("no preferences");
	return 0;
}

/* The sector in use, in sector_bytes; where there is none, both are made anew. */
static uint32_t load(xsMachine *the)
{
	static const uint32_t magic = MAGIC;
	uint32_t first = preferences(the);
	uint32_t found;
	for (int i = 0; i < 2; i++) {
		modSPIRead(first + i * kFlashSectorSize, sizeof(found), (uint8_t *)&found);
		if (found == MAGIC) {
			first += i * kFlashSectorSize;
			modSPIRead(first, kFlashSectorSize, sector_bytes);
			return first;
		}
	}
	modSPIErase(first, 2 * kFlashSectorSize);
	modSPIWrite(first, sizeof(magic), (const uint8_t *)&magic);
	modSPIRead(first, kFlashSectorSize, sector_bytes);
	return first;
}

/* The entry at or behind `*at`, which moves behind it; where there is none, `*at` is where the sector is free. */
static bool next(uint32_t *at, Entry *entry)
{
	uint32_t start = *at;
	uint32_t type;
	while (start < kFlashSectorSize && sector_bytes[start] == 0)
		start++;
	*at = start;
	if (start >= kFlashSectorSize || sector_bytes[start] == 0xff)
		return false;
	type = start;
	for (int text = 0; text < 2; text++) {
		while (type < kFlashSectorSize && sector_bytes[type])
			type++;
		type++;
	}
	*at = kFlashSectorSize;
	if (type + 3 > kFlashSectorSize || sector_bytes[type] != TYPE_BUFFER)
		return false;
	entry->at = start;
	entry->value = type + 3;
	entry->length = sector_bytes[type + 1] | (uint32_t)sector_bytes[type + 2] << 8;
	entry->size = ((entry->value + entry->length + 3) & ~3u) - start;
	if (start + entry->size > kFlashSectorSize)
		return false;
	*at = start + entry->size;
	return true;
}

static uint32_t free_place(void)
{
	Entry entry;
	uint32_t at = sizeof(uint32_t);
	while (next(&at, &entry))
		;
	return at;
}

static bool find(const uint8_t *name, uint32_t length, Entry *entry)
{
	uint32_t at = sizeof(uint32_t);
	while (next(&at, entry))
		if (entry->at + length + 3 == entry->value && !memcmp(sector_bytes + entry->at, name, length))
			return true;
	return false;
}

static Storage *storage(xsMachine *the)
{
	Storage *it = xsmcGetHostChunk(xsThis);
	if (!it || !it->open)
		xsSyntaxError("closed");
	return it;
}

/* Path and key, each with its NUL; gives their length. */
static uint32_t name_of(xsMachine *the, uint8_t *name)
{
	char key[64];
	size_t length;
	xsmcToStringBuffer(xsArg(0), key, sizeof(key));
	length = strlen(storage(the)->path) + 1;
	memcpy(name, storage(the)->path, length);
	memcpy(name + length, key, strlen(key) + 1);
	return (uint32_t)(length + strlen(key) + 1);
}

static void check(xsMachine *the, bool done)
{
	if (!done)
		xsUnknownError("write failed");
}

static void erase_entry(xsMachine *the, const uint8_t *name, uint32_t length)
{
	static const uint8_t zeros[kFlashSectorSize];
	uint32_t sector = load(the);
	Entry entry;
	if (find(name, length, &entry))
		check(the, modSPIWrite(sector + entry.at, entry.size, zeros));
}

/* Copies a sector's entries to the other one, which is used from its magic on. */
static uint32_t compact(xsMachine *the, uint32_t from)
{
	static const uint32_t magic = MAGIC;
	static const uint32_t zero = 0;
	uint32_t first = preferences(the);
	uint32_t to = from == first ? first + kFlashSectorSize : first;
	uint32_t at = sizeof(uint32_t);
	uint32_t end = to + sizeof(uint32_t);
	Entry entry;
	check(the, modSPIErase(to, kFlashSectorSize));
	check(the, modSPIWrite(to, sizeof(magic), (const uint8_t *)&magic));
	while (next(&at, &entry)) {
		check(the, modSPIWrite(end, entry.size, sector_bytes + entry.at));
		end += entry.size;
	}
	check(the, modSPIWrite(from, sizeof(zero), (const uint8_t *)&zero));
	return load(the);
}

/* (options) */
void xs_key_value_open(xsMachine *the)
{
	Storage it = { .open = 1 };
	char text[64];
	xsmcVars(1);
	if (!xsmcHas(xsArg(0), xsID_path))
		xsUnknownError("no path");
	xsmcGet(xsVar(0), xsArg(0), xsID_path);
	xsmcToStringBuffer(xsVar(0), text, sizeof(text));
	if (!text[0] || strlen(text) > PATH_MAX)
		xsUnknownError("invalid");
	strcpy(it.path, text);
	if (xsmcHas(xsArg(0), xsID_mode)) {
		xsmcGet(xsVar(0), xsArg(0), xsID_mode);
		it.readOnly = !strcmp(xsmcToString(xsVar(0)), "r");
		if (!it.readOnly && strcmp(xsmcToString(xsVar(0)), "r+"))
			xsUnknownError("invalid mode");
	}
	option_format(the, formats, 0);
	xsmcSetHostChunk(xsThis, &it, sizeof(it));
}

void xs_key_value_close(xsMachine *the)
{
	Storage *it = xsmcGetHostChunk(xsThis);
	if (it)
		it->open = 0;
}

/* (key) */
void xs_key_value_read(xsMachine *the)
{
	uint8_t name[NAME_MAX];
	uint32_t length = name_of(the, name);
	Entry entry;
	load(the);
	if (find(name, length, &entry))
		xsmcSetArrayBuffer(xsResult, sector_bytes + entry.value, (int)entry.length);
}

/* (key) */
void xs_key_value_delete(xsMachine *the)
{
	uint8_t name[NAME_MAX];
	uint32_t length = name_of(the, name);
	if (storage(the)->readOnly)
		xsUnknownError("read-only");
	erase_entry(the, name, length);
}

/* (key, bytes) */
void xs_key_value_write(xsMachine *the)
{
	uint8_t entry[NAME_MAX + 3 + VALUE_MAX + 3] = { 0 };
	void *bytes;
	xsUnsignedValue count;
	uint32_t length = name_of(the, entry);
	uint32_t size, sector;
	if (storage(the)->readOnly)
		xsUnknownError("read-only");
	xsmcGetBufferReadable(xsArg(1), &bytes, &count);
	size = (length + 3 + count + 3) & ~3u;
	check(the, count <= VALUE_MAX && size <= ENTRY_MAX);
	entry[length] = TYPE_BUFFER;
	entry[length + 1] = (uint8_t)count;
	memcpy(entry + length + 3, bytes, count);
	erase_entry(the, entry, length);
	sector = load(the);
	if (kFlashSectorSize - free_place() < size)
		sector = compact(the, sector);
	check(the, kFlashSectorSize - free_place() >= size);
	check(the, modSPIWrite(sector + free_place(), size, entry));
}
