/*
 * What a stretch of script takes: instructions, parted by whose they are, and C stack. QEMU counts one tick of
 * CCOUNT for 25 instructions (-icount shift=0, 40 MHz), each time the same.
 */
#include "xsmc.h"

#include <string.h>

#include "host.h"
#include "machine.h"

#define INSTRUCTIONS_PER_TICK 25
#define MEASURES_MAX 32
#define PAINT 0xa5
/* Painted below what is in use: far more than the device has. */
#define PAINTED 24576

/* Whose instructions: what is entered counts until it returns, less what that enters. */
enum { SCRIPT, NATIVE, DIGEST, CHIP, PARTS };

typedef struct {
	char name[32];
	uint32_t count;
	uint64_t ticks[PARTS];
	/* Bytes of C stack at most. */
	uint32_t stack;
} Measure;

static Measure measures[MEASURES_MAX];
static int measure_count;
static Measure *current;
static int part;
static uint32_t last;
static uint8_t *stack_top;
static uint8_t *painted;

static inline uint32_t ticks(void)
{
	uint32_t value;
	__asm__ volatile("rsr.ccount %0" : "=r"(value));
	return value;
}

static void settle(void)
{
	uint32_t now = ticks();
	if (current)
		current->ticks[part] += now - last;
	last = now;
}

static int enter(int inner)
{
	int outer = part;
	settle();
	part = inner;
	return outer;
}

static void leave(int outer)
{
	settle();
	part = outer;
}

/* ld --wrap puts these around the functions of that name. An exception of one leaves its part open until `start`. */
#define WRAP_NATIVE(PART, NAME) \
	void __real_##NAME(xsMachine *the); \
	void __wrap_##NAME(xsMachine *the); \
	void __wrap_##NAME(xsMachine *the) \
	{ \
		int outer = enter(PART); \
		__real_##NAME(the); \
		leave(outer); \
	}

#define WRAP_CHIP(NAME, PARAMETERS, ARGUMENTS) \
	uint8_t __real_##NAME PARAMETERS; \
	uint8_t __wrap_##NAME PARAMETERS; \
	uint8_t __wrap_##NAME PARAMETERS \
	{ \
		int outer = enter(CHIP); \
		uint8_t result = __real_##NAME ARGUMENTS; \
		leave(outer); \
		return result; \
	}

WRAP_NATIVE(DIGEST, xs_digest_constructor)
WRAP_NATIVE(DIGEST, xs_digest_write)
WRAP_NATIVE(DIGEST, xs_digest_close)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_open)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_close)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_size)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_address)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_read)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_write)
WRAP_NATIVE(NATIVE, xs_esp8266_flash_erase)
WRAP_NATIVE(NATIVE, xs_esp8266_board_gzipCRC)
WRAP_NATIVE(NATIVE, xs_esp8266_board_led)
WRAP_NATIVE(NATIVE, xs_esp8266_board_uptime)
WRAP_NATIVE(NATIVE, xs_esp8266_board_flashMode)
WRAP_NATIVE(NATIVE, xs_esp8266_board_flashSize)
WRAP_NATIVE(NATIVE, xs_esp8266_board_configuredFlashSize)
WRAP_NATIVE(NATIVE, xs_esp8266_board_feedWatchdog)
WRAP_CHIP(modSPIRead, (uint32_t offset, uint32_t size, uint8_t *bytes), (offset, size, bytes))
WRAP_CHIP(modSPIWrite, (uint32_t offset, uint32_t size, const uint8_t *bytes), (offset, size, bytes))
WRAP_CHIP(modSPIErase, (uint32_t offset, uint32_t size), (offset, size))

void measures_begin(uint8_t *top)
{
	stack_top = top;
}

static Measure *measure_named(const char *name)
{
	Measure *measure;
	for (measure = measures; measure < measures + measure_count; measure++)
		if (!strcmp(measure->name, name))
			return measure;
	if (measure_count == MEASURES_MAX || strlen(name) >= sizeof(measure->name))
		host_usage("no measure %s", name);
	measure_count++;
	strcpy(measure->name, name);
	return measure;
}

/* (name): adds to the measure of that name what comes until `stop`. */
void xs_measure_start(xsMachine *the)
{
	Measure *measure = measure_named(xsmcToString(xsArg(0)));
	uint8_t *here = __builtin_frame_address(0);
	measure->count++;
	/* Down to this function's own frame, which is gone when the script goes on. */
	painted = here - PAINTED;
	for (uint8_t *at = painted; at < here - 256; at++)
		*at = PAINT;
	part = SCRIPT;
	current = measure;
	last = ticks();
}

void xs_measure_stop(xsMachine *the)
{
	const uint8_t *at = painted;
	uint32_t depth;
	(void)the;
	settle();
	while (at < stack_top && *at == PAINT)
		at++;
	depth = (uint32_t)(stack_top - at);
	if (current && depth > current->stack)
		current->stack = depth;
	current = NULL;
}

/* The host's peaks are these. */
void peaks_tell(void)
{
	for (const Measure *it = measures; it < measures + measure_count; it++) {
		char name[64];
		event_tell("{\"name\":%s,\"count\":%u,\"script\":%llu,\"native\":%llu,\"digest\":%llu,\"chip\":%llu,\"stack\":%u}",
			event_quote(name, sizeof(name), it->name), (unsigned)it->count,
			it->ticks[SCRIPT] * INSTRUCTIONS_PER_TICK, it->ticks[NATIVE] * INSTRUCTIONS_PER_TICK,
			it->ticks[DIGEST] * INSTRUCTIONS_PER_TICK, it->ticks[CHIP] * INSTRUCTIONS_PER_TICK, (unsigned)it->stack);
	}
}

void peaks_turn(void)
{
}
