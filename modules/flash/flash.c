/*
	embedded:storage/flash on the ESP8266. The region that an instance may touch is kept here, out of the
	script's reach, and every access is checked against it.

	modSPIRead and modSPIWrite (SDK, xsHost.c) take any place and length: what is no whole word is padded with
	0xFF, which programs nothing. They return 0 on failure. modSPIErase takes whole sectors, lets Wi-Fi run
	before each, and fails on the first one that does. modSPIWrite masks interrupts all the time that it takes;
	so it is called for one sector's bytes at most.

	There is no erase by blocks of 64 KiB here, although it is faster by a factor of four: the SDK has none, and
	the mask ROM's own needs the flash cache off, and all code that runs meanwhile, Wi-Fi's interrupts included,
	in RAM.
*/
#include "../arguments.h"
#include "partitions.h"

typedef struct {
	/* Flash offset of the first byte. */
	uint32_t start;
	uint32_t size;
	uint8_t isOpen;
	uint8_t isWritable;
} Region;

/* Nothing to free. Its address tells instances of ours from other host objects. */
void xs_esp8266_flash_destructor(void *data)
{
	(void)data;
}

/* The region of an open instance. A copy: the instance's own moves when something is allocated. */
static Region openRegion(xsMachine *the)
{
	Region region = *(Region *)xsmcGetHostChunkValidate(xsThis, xs_esp8266_flash_destructor);

	if (!region.isOpen)
		xsSyntaxError("closed");
	return region;
}

static Region writableRegion(xsMachine *the)
{
	Region region = openRegion(the);

	if (!region.isWritable)
		xsUnknownError("read only");
	return region;
}

/* Refuses what may change its length while in use; the script found it out and passed it as argument 2. */
static void refuseResizable(xsMachine *the)
{
	if (!isMissing(the, 2) && xsmcToBoolean(xsArg(2)))
		xsTypeError("resizable buffer");
}

/* The flash offset of `length` bytes from `offset` in the region. */
static uint32_t placeOf(xsMachine *the, const Region *region, uint32_t offset, uint32_t length)
{
	if ((offset > region->size) || (length > region->size - offset))
		xsRangeError("outside the partition");
	return region->start + offset;
}

/* (path, writable) on a new instance: opens the partition of this chip's table or layout. */
void xs_esp8266_flash_open(xsMachine *the)
{
	Region region = {0, 0, 1, 0};
	Partition partition;
	uint32_t end, chip;

	if (isMissing(the, 0) || isMissing(the, 1))
		xsSyntaxError("no path or mode");
	char *name = xsmcToString(xsArg(0));
	if (!findPartition(name, &partition))
		xsUnknownError("no partition %s", name);

	region.start = partition.offset;
	end = partition.offset + partition.size;
	// Addresses beyond the chip's end begin anew at 0: a write would hit the firmware that runs.
	chip = realFlashSize();
	if (chip && (end > chip))
		xsUnknownError("partition %s lies beyond the chip", name);
	if (partition.flags & PARTITION_BEHIND_RUNNING) {
		region.start = endOfRunning(end);
		if (!region.start)
			xsUnknownError("no end of the running firmware");
	}
	region.size = end - region.start;
	region.isWritable = xsmcToBoolean(xsArg(1)) && !(partition.flags & PARTITION_READ_ONLY);
	xsmcSetHostChunk(xsThis, &region, sizeof(region));
}

void xs_esp8266_flash_close(xsMachine *the)
{
	Region *region = xsmcGetHostChunkValidate(xsThis, xs_esp8266_flash_destructor);

	region->isOpen = 0;
}

/* (index): the name of a partition of this chip's table or layout, or undefined behind the last. */
void xs_esp8266_flash_name(xsMachine *the)
{
	uint32_t flashSize = configuredFlashSize();
	uint32_t count = countPartitions(flashSize);
	uint32_t left = wholeArgument(the, 0, TABLE_ENTRIES + PART_COUNT + PARTITION_COUNT);
	uint32_t i;

	if (count || isTableBroken()) {
		nameInTable(the, count, left);
		return;
	}
	for (i = 0; i < PARTITION_COUNT; i++) {
		if (partitions[i].flashSize != flashSize)
			continue;
		if (0 == left--) {
			xsmcSetString(xsResult, (char *)partitions[i].name);
			return;
		}
	}
}

void xs_esp8266_flash_size(xsMachine *the)
{
	xsmcSetInteger(xsResult, openRegion(the).size);
}

void xs_esp8266_flash_address(xsMachine *the)
{
	xsmcSetInteger(xsResult, openRegion(the).start);
}

/* (byteLength, byteOffset): an ArrayBuffer; (buffer, byteOffset, isResizable): fills it, gives the count. */
void xs_esp8266_flash_read(xsMachine *the)
{
	Region region = openRegion(the);
	xsType type = isMissing(the, 0) ? xsUndefinedType : xsmcTypeOf(xsArg(0));
	uint32_t offset = wholeArgument(the, 1, region.size);
	uint32_t address, length;
	uint8_t *bytes;

	refuseResizable(the);
	region = openRegion(the);
	if ((xsIntegerType == type) || (xsNumberType == type)) {
		length = wholeArgument(the, 0, region.size);
		address = placeOf(the, &region, offset, length);
		xsmcSetArrayBuffer(xsResult, NULL, length);
		bytes = xsmcToArrayBuffer(xsResult);
	}
	else {
		bytes = writableArgument(the, 0, &length);
		address = placeOf(the, &region, offset, length);
		xsmcSetInteger(xsResult, length);
	}
	if ((length > 0) && !modSPIRead(address, length, bytes))
		xsUnknownError("read failed");
}

/* Mapped flash can't be read while flash is programmed: its bytes go through RAM. Apart, for the stack's sake. */
static __attribute__((noinline)) uint8_t writeMapped(uint32_t address, uint32_t length, const uint8_t *bytes)
{
	uint32_t spool[32];

	while (length > 0) {
		uint32_t count = (length < sizeof(spool)) ? length : sizeof(spool);

		c_memcpy(spool, bytes, count);
		if (!modSPIWrite(address, count, (uint8_t *)spool))
			return 0;
		address += count;
		bytes += count;
		length -= count;
	}
	return 1;
}

/*
	(buffer, byteOffset, isResizable): the bytes, and the flash address that they are for. What converts may run script,
	which may close the partition: it is looked up again.
*/
static const uint8_t *bytesAndPlace(xsMachine *the, Region (*lookUp)(xsMachine *the), uint32_t *address, uint32_t *length)
{
	Region region = lookUp(the);
	const uint8_t *bytes;
	uint32_t offset;

	if (isMissing(the, 0))
		xsSyntaxError("no buffer");
	offset = wholeArgument(the, 1, region.size);
	refuseResizable(the);
	region = lookUp(the);
	bytes = readableArgument(the, 0, length);
	*address = placeOf(the, &region, offset, *length);
	return bytes;
}

/* (buffer, byteOffset, isResizable) */
void xs_esp8266_flash_write(xsMachine *the)
{
	uint32_t address, length;
	const uint8_t *bytes = bytesAndPlace(the, writableRegion, &address, &length);

	while (length > 0) {
		uint32_t count = kFlashSectorSize - address % kFlashSectorSize;
		uint8_t isMapped = (bytes >= kFlashStart) && (bytes < kFlashEnd);
		uint8_t done;

		if (count > length)
			count = length;
		done = isMapped ? writeMapped(address, count, bytes) : modSPIWrite(address, count, bytes);
		if (!done)
			xsUnknownError("write failed");
		system_soft_wdt_feed();
		address += count;
		bytes += count;
		length -= count;
	}
}

/* (start[, end]) in sectors, `end` not included */
void xs_esp8266_flash_erase(xsMachine *the)
{
	Region region = writableRegion(the);
	uint32_t blocks = region.size / kFlashSectorSize;
	uint32_t start = wholeArgument(the, 0, blocks);
	uint32_t end = isMissing(the, 1) ? start + 1 : wholeArgument(the, 1, blocks);

	region = writableRegion(the);
	if ((end < start) || (end > blocks))
		xsRangeError("outside the partition");
	for (; start < end; start++) {
		if (!modSPIErase(region.start + start * kFlashSectorSize, kFlashSectorSize))
			xsUnknownError("erase failed");
		system_soft_wdt_feed();
	}
}

/* (buffer, byteOffset, isResizable): whether the flash holds these bytes. */
void xs_esp8266_flash_equals(xsMachine *the)
{
	uint32_t held[32], given[32];
	uint32_t address, length, i;
	const uint8_t *bytes = bytesAndPlace(the, openRegion, &address, &length);

	xsmcSetFalse(xsResult);
	while (length > 0) {
		uint32_t count = (length < sizeof(held)) ? length : sizeof(held);

		if (!modSPIRead(address, count, (uint8_t *)held))
			xsUnknownError("read failed");
		// The buffer may lie in flash, too, where only words can be loaded.
		c_memcpy(given, bytes, count);
		// By words: memcmp goes byte by byte.
		for (i = 0; i < count / sizeof(held[0]); i++) {
			if (held[i] != given[i])
				return;
		}
		if (c_memcmp(held + i, given + i, count % sizeof(held[0])))
			return;
		address += count;
		bytes += count;
		length -= count;
	}
	xsmcSetTrue(xsResult);
}

/* (block): whether all of a sector is erased. */
void xs_esp8266_flash_isErased(xsMachine *the)
{
	Region region = openRegion(the);
	uint32_t words[64];
	uint32_t address = wholeArgument(the, 0, region.size / kFlashSectorSize);
	uint32_t end, i;

	region = openRegion(the);
	address = placeOf(the, &region, address * kFlashSectorSize, kFlashSectorSize);
	xsmcSetFalse(xsResult);
	for (end = address + kFlashSectorSize; address < end; address += sizeof(words)) {
		if (!modSPIRead(address, sizeof(words), (uint8_t *)words))
			xsUnknownError("read failed");
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (0xffffffff != words[i])
				return;
		}
	}
	xsmcSetTrue(xsResult);
}
