/* What is intended and how far it is, in a sector of its own: SPEC.md, section 11. */
#include <stddef.h>
#include "boot.h"

#define RECORD_MAGIC 0x4941544fu
#define RECORD_VERSION 1
#define CHECKED_WORDS (offsetof(Header, check) / 4)

Record record;

static bool isWhole(const Header *header)
{
	return (RECORD_MAGIC == header->magic) && (RECORD_VERSION == header->version)
		&& (crcOfWords((const uint32_t *)header, CHECKED_WORDS) == header->check);
}

/* A word is programmed to 0: one that was torn, or has lost a bit, counts by most of its bits. */
static bool isSet(uint32_t word)
{
	uint32_t zeros = 0;

	for (word = ~word; word; word &= word - 1)
		zeros += 1;
	return zeros > 16;
}

void readRecord(void)
{
	uint32_t *word = record.states;

	SPIRead(boot_config.record, &record, sizeof(record));
	if (isWhole(&record.header))
		return;
	record.header = record.again;
	if (isWhole(&record.header))
		return;
	record.header = (Header){0};
	while (word < &record.resultCRCInverted + 1)
		*word++ = ~0u;
}

bool writeRecord(Header *header)
{
	header->magic = RECORD_MAGIC;
	header->version = RECORD_VERSION;
	header->sequence = record.header.sequence + 1;
	header->check = crcOfWords((const uint32_t *)header, CHECKED_WORDS);
	SPIEraseSector(boot_config.record / SECTOR);
	SPIWrite(boot_config.record, header, sizeof(Header));
	SPIWrite(boot_config.record + sizeof(Header), header, sizeof(Header));
	readRecord();
	return 0 != record.header.magic;
}

bool is(State state)
{
	return isSet(record.states[state]);
}

void keepWords(const void *words, uint32_t length)
{
	SPIWrite(boot_config.record + ((const uint8_t *)words - (const uint8_t *)&record), words, length);
}

static void clearWord(uint32_t *word)
{
	*word = 0;
	keepWords(word, sizeof(*word));
}

void set(State state)
{
	if (!is(state))
		clearWord(record.states + state);
}

uint32_t startsUsed(void)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < STARTS_MAX; i++)
		used += isSet(record.starts[i]);
	return used;
}

void useStart(void)
{
	for (uint32_t i = 0; i < STARTS_MAX; i++) {
		if (!isSet(record.starts[i])) {
			clearWord(record.starts + i);
			return;
		}
	}
}
