/*
 * A NOR flash chip: an erase sets a sector or a block to ones, a program clears bits, page by page. The control
 * counts the operations and holds the faults that some of them are to have; test-host/virtual/nor.ts and
 * nor-control.ts are the same chip for Node.
 */
#include <string.h>

#include "host.h"

#define PAGE 256

/* The control's words. */
enum { POWERED, OPERATIONS, SEED, FAULTS, FAULT_WORDS = 4, FAULTS_MAX = 16 };
/* Of one fault: the number of the operation, its kind (0: none), which operations it hits (0: all), repeat. */
enum { AT, KIND, ONLY, REPEAT };
enum { NONE, FAIL, TORN, IGNORED, POWER_BEFORE, POWER_DURING, POWER_AFTER };
enum { ERASE = 1, PROGRAM = 2 };

static volatile int32_t *control;

void flash_model_begin(volatile int32_t *words)
{
	control = words;
}

static void check_power(void)
{
	if (!control[POWERED])
		host_exit(EXIT_POWER_CUT);
}

static int begin(int operation)
{
	int32_t number = control[OPERATIONS];
	control[OPERATIONS] = number + 1;
	for (int i = 0; i < FAULTS_MAX; i++) {
		volatile int32_t *fault = control + FAULTS + i * FAULT_WORDS;
		int kind = fault[KIND];
		if (kind == NONE || number < fault[AT] || (fault[ONLY] != 0 && fault[ONLY] != operation))
			continue;
		if (!fault[REPEAT])
			fault[KIND] = NONE;
		return kind;
	}
	return NONE;
}

/* splitmix32, as the Node side has it: the same operation tears the same bits. */
static uint32_t next_noise(uint32_t *state)
{
	uint32_t value = *state += 0x9e3779b9u;
	value = (value ^ (value >> 16)) * 0x21f0aaadu;
	value = (value ^ (value >> 15)) * 0x735a2d97u;
	return value ^ (value >> 15);
}

/* Each bit that changes is as it was or as it should be. */
static void tear(uint8_t *cells, const uint8_t *target, uint32_t length)
{
	uint32_t state = ((uint32_t)control[SEED] * 0x01000193u) ^ (uint32_t)control[OPERATIONS];
	uint32_t word = 0;
	for (uint32_t i = 0; i < length; i++) {
		uint8_t keep;
		word = i % 4 == 0 ? next_noise(&state) : word >> 8;
		keep = (uint8_t)word;
		cells[i] = (uint8_t)((cells[i] & keep) | (target[i] & ~keep));
	}
}

static bool operate(int operation, uint32_t address, const uint8_t *target, uint32_t length)
{
	uint8_t *cells = chip.flash + address;
	int fault;
	check_power();
	fault = begin(operation);
	if (fault == TORN || fault == POWER_DURING)
		tear(cells, target, length);
	if (fault == NONE || fault == POWER_AFTER)
		memcpy(cells, target, length);
	if (fault >= POWER_BEFORE) {
		control[POWERED] = 0;
		host_exit(EXIT_POWER_CUT);
	}
	return fault != FAIL && fault != TORN;
}

void flash_read(uint32_t address, uint8_t *bytes, uint32_t length)
{
	check_power();
	memcpy(bytes, chip.flash + address, length);
}

bool flash_program(uint32_t address, const uint8_t *bytes, uint32_t length)
{
	uint8_t target[PAGE];
	check_power();
	while (length > 0) {
		uint32_t part = PAGE - address % PAGE;
		if (part > length)
			part = length;
		for (uint32_t i = 0; i < part; i++)
			target[i] = chip.flash[address + i] & bytes[i];
		if (!operate(PROGRAM, address, target, part))
			return false;
		address += part;
		bytes += part;
		length -= part;
	}
	return true;
}

bool flash_erase(uint32_t address, uint32_t length)
{
	static uint8_t erased[65536];
	memset(erased, 0xff, sizeof(erased));
	return operate(ERASE, address, erased, length);
}
