/* The first stage: from the mask ROM to the second stage, and to the application. */
#include "boot.h"

#define COMMAND_MAGIC 0xeb001000u
#define COMMAND_WORDS 32
/* What eboot answers where it knows no such action. */
#define UNKNOWN_ACTION 9

/* Where the second stage is linked to run. */
extern uint32_t second_stage[];

static bool isStage(uint32_t address)
{
	uint32_t length = boot_config.stageLength;

	SPIRead(address, sector, SECTOR);
	for (uint8_t *byte = (uint8_t *)sector + length; byte < (uint8_t *)(sector + SECTOR_WORDS); byte++)
		*byte = 0xff;
	return boot_config.stageCRC == ~crcOf(~0u, (const uint8_t *)sector, length);
}

/*
	Loads the second stage from one of its copies, or from behind the firmware that it came with. A copy that is damaged is
	written anew, while the one that it is taken from stays.
*/
static bool loadStage(void)
{
	uint32_t stages = boot_config.stages;
	bool isFirst = isStage(stages);
	bool isSecond = isStage(stages + SECTOR);
	uint32_t length;

	if (!isSecond && !(isFirst && isStage(stages))) {
		length = verifyImage(APPLICATION, boot_config.applicationEnd);
		if (!length || !isStage(APPLICATION + roundUp(length)))
			return false;
	}
	if (!isFirst)
		writeSector(stages, false);
	if (!isSecond)
		writeSector(stages + SECTOR, false);
	for (length = 0; length < SECTOR_WORDS; length++)
		second_stage[length] = sector[length];
	return true;
}

/* Without the second stage. */
static uint32_t withoutStage(uint32_t action)
{
	if (ACTION_COPY == action)
		ets_printf("cp:%d\n", NO_STAGE);
	return verifyImage(APPLICATION, boot_config.applicationEnd) ? APPLICATION : 0;
}

/* Loads the image at a flash offset, over all data of this program, and goes there. */
static void __attribute__((noreturn)) load(uint32_t address)
{
	uint32_t words[2];
	uint32_t entry, count;

	SPIRead(address, words, sizeof(words));
	entry = words[1];
	for (count = (words[0] >> 8) & 0xff; count; count--) {
		address += sizeof(words);
		SPIRead(address, words, sizeof(words));
		if (isLoaded(words[0]))
			SPIRead(address + sizeof(words), (void *)words[0], words[1]);
		address += words[1];
	}
	__asm__ volatile("mov a1, %0\n\tjx %1" : : "r"(0x3ffffff0), "r"(entry) : "memory");
	__builtin_unreachable();
}

void __attribute__((noreturn)) boot(void)
{
	uint32_t action = ACTION_LOAD;
	uint32_t address, version;
	bool isCommanded;

	ets_wdt_enable(4, 12, 12);
	makeCRCTable();
	SPIParamCfg(0, boot_config.flashSize, BLOCK, SECTOR, 256, 0xffff);
	SPIRead(APPLICATION + 16, &version, sizeof(version));
	ets_printf("v%08x\n", version);
	isCommanded = (COMMAND_MAGIC == (RTC_COMMAND[0] & 0xfffff000))
		&& (crcOfWords(RTC_COMMAND, COMMAND_WORDS - 1) == RTC_COMMAND[COMMAND_WORDS - 1]);
	ets_putc(isCommanded ? '@' : '~');
	if (isCommanded)
		action = RTC_COMMAND[1];
	if ((ACTION_COPY != action) && (ACTION_LOAD != action))
		ets_printf("e:%d\n", UNKNOWN_ACTION);

	address = loadStage() ? second(isCommanded) : withoutStage(action);
	if (isCommanded) {
		// By now it is in the record, or refused.
		RTC_COMMAND[0] = 0;
		RTC_COMMAND[COMMAND_WORDS - 1] = 0;
	}
	if (!address) {
		ets_printf("no application, flash me\n");
		ets_wdt_disable();
		for (;;)
			;
	}
	ets_printf("ld\n");
	load(address);
}
