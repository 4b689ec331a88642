/* How much of the device's memory and time the application took, and the limit of time. */
#include "engine.h"
#include "host.h"

#define PAINT 0xa5
#define METER_STEP 10000

static txMachine *machine;
static uint32_t limit;
/* The engine's meter when the turn began, and when it was read last; it wraps. */
static uint32_t turn_index;
static uint32_t last_index;
static uint64_t total;

static txBoolean within_limit(txMachine *the, txU4 index)
{
	(void)the;
	return limit == 0 || index - turn_index <= limit;
}

static void count(void)
{
	total += (uint32_t)(machine->meterIndex - last_index);
	last_index = machine->meterIndex;
}

void peaks_begin(txMachine *the, uint32_t meter_limit)
{
	machine = the;
	limit = meter_limit;
	memset(the->stackBottom, PAINT, (size_t)((uint8_t *)the->stack - (uint8_t *)the->stackBottom));
	the->peakHeapCount = the->currentHeapCount;
	the->peakChunksSize = the->currentChunksSize;
	fxBeginMetering(the, within_limit, METER_STEP);
}

void peaks_turn(void)
{
	count();
	turn_index = machine->meterIndex;
}

static int stack_peak(void)
{
	const uint8_t *top = (uint8_t *)machine->stackTop;
	const uint8_t *at = (uint8_t *)machine->stackBottom;
	while (at < top && *at == PAINT)
		at++;
	return (int)((size_t)(top - at + (int)sizeof(txSlot) - 1) / sizeof(txSlot));
}

void peaks_tell(void)
{
	if (!machine)
		return;
	count();
	event_tell("{\"peaks\":{\"chunks\":%d,\"slots\":%d,\"stack\":%d,\"unused\":%u,\"meter\":%llu}}",
		(int)machine->peakChunksSize, (int)machine->peakHeapCount, stack_peak(), block.unused,
		(unsigned long long)total);
}
