/*
 * The memory model of the device: the application's machine lives in one block of 32 KB, chunks from its
 * beginning, slots and the stack from its end; what the root machine holds is flash.
 */
#include "engine.h"
#include "host.h"
#include "sdk/memory-map.h"

#define BLOCK_SIZE 32768
#define FLASH_SIZE (48 * 1024 * 1024)

static uint8_t block_bytes[BLOCK_SIZE] __attribute__((aligned(16)));

Region block;
Region flash_memory;

static void region_begin(Region *region, uint8_t *begin, uint32_t size)
{
	region->begin = region->chunks = begin;
	region->end = region->slots = begin + size;
	region->unused = size;
}

static uint32_t room(const Region *region)
{
	return (uint32_t)(region->slots - region->chunks);
}

static void note(Region *region)
{
	if (room(region) < region->unused)
		region->unused = room(region);
}

void memory_begin(void)
{
	region_begin(&flash_memory, flash_memory_map(FLASH_SIZE), FLASH_SIZE);
	region_begin(&block, block_bytes, BLOCK_SIZE);
}

void *memory_take(size_t size)
{
	uint8_t *taken = flash_memory.slots - ((size + 15) & ~(size_t)15);
	if (taken < flash_memory.chunks)
		host_usage("the application is too large");
	flash_memory.slots = taken;
	return taken;
}

uint8_t *sdk_flash_start(void)
{
	return flash_memory.begin;
}

uint8_t *sdk_flash_end(void)
{
	return flash_memory.end;
}

/* The engine asks for `size` bytes and a header; where the last block can grow it does, by what it lacks. */
void *fxAllocateChunks(txMachine *the, txSize size)
{
	Region *region = the->context;
	txBlock *last = the->firstBlock;
	uint8_t *result = region->chunks;
	txSize lacking = size;
	if (last)
		lacking = size - (txSize)sizeof(txBlock) - (txSize)(last->limit - last->current);
	if (lacking > (txSize)room(region))
		return NULL;
	region->chunks += lacking;
	note(region);
	if (!last)
		return result;
	/* The engine adds the whole size to the limit and to its count. */
	last->limit = (txByte *)region->chunks - size;
	the->maximumChunksSize += lacking - size;
	return last->limit;
}

txSlot *fxAllocateSlots(txMachine *the, txSize count)
{
	Region *region = the->context;
	uint32_t size = (uint32_t)count * sizeof(txSlot);
	txBlock *last = the->firstBlock;
	if (size > room(region) && last) {
		/* Chunks that are not used make room. */
		fxCollect(the, XS_COMPACT_FLAG | XS_ORGANIC_FLAG);
		the->maximumChunksSize -= (txSize)(last->limit - last->current);
		last->limit = last->current;
		region->chunks = (uint8_t *)last->current;
	}
	if (size > room(region))
		return NULL;
	region->slots -= size;
	note(region);
	return (txSlot *)region->slots;
}

/* Machines end with the process. */
void fxFreeChunks(txMachine *the, void *chunks)
{
	(void)the;
	(void)chunks;
}

void fxFreeSlots(txMachine *the, void *slots)
{
	(void)the;
	(void)slots;
}
