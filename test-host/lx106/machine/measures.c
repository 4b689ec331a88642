/*
 * What a stretch of script takes: instructions, parted by whose they are, and C stack. QEMU gives an instruction
 * 256 ns (-icount shift=8), a tick of CCOUNT has 25 ns: so ticks tell instructions, exactly and each time the same.
 */
#include "xsmc.h"

#include <string.h>

#include "host.h"
#include "machine.h"

#define TICK 25
#define INSTRUCTION 256
#define MEASURES_MAX 32
#define PAINT 0xa5
/* Painted below what is in use: far more than the device has. */
#define PAINTED 24576

typedef struct {
	char name[32];
	uint32_t count;
	uint64_t instructions[PART_COUNT];
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
		current->instructions[part] += ((uint64_t)(now - last) * TICK + INSTRUCTION / 2) / INSTRUCTION;
	last = now;
}

int measure_enter(int inner)
{
	int outer = part;
	settle();
	part = inner;
	return outer;
}

void measure_leave(int outer)
{
	settle();
	part = outer;
}

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
	part = PART_SCRIPT;
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

/* What the chip would do at a load that is not aligned, done on purpose. */
void xs_measure_loadOdd(xsMachine *the)
{
	static uint32_t words[2];
	uint32_t value;
	__asm__ volatile("l32i %0, %1, 0" : "=r"(value) : "r"((uint8_t *)words + 1));
	xsmcSetInteger(xsResult, (xsIntegerValue)value);
}

/* The host's peaks are these. */
void peaks_tell(void)
{
	for (const Measure *it = measures; it < measures + measure_count; it++) {
		char name[64];
		event_tell("{\"name\":%s,\"count\":%u,\"script\":%llu,\"native\":%llu,\"digest\":%llu,\"chip\":%llu,\"stack\":%u}",
			event_quote(name, sizeof(name), it->name), (unsigned)it->count,
			it->instructions[PART_SCRIPT], it->instructions[PART_NATIVE], it->instructions[PART_DIGEST],
			it->instructions[PART_CHIP], (unsigned)it->stack);
	}
	for (int i = 0; i < wrapped_count; i++)
		event_tell("{\"native\":\"%s\",\"calls\":%u}", wrapped_names[i], (unsigned)wrapped_calls[i]);
}

void peaks_turn(void)
{
}
