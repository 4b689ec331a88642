/* What stands for the flash that is mapped into the device's memory. */
#include "engine.h"
#include "host.h"

extern uint8_t mapped_start[];

/* sim.ld has room for what the host asks for. */
void *flash_memory_map(size_t size)
{
	(void)size;
	return mapped_start;
}

/* This machine has no memory protection: the 32-bit host shows what writes to flash. */
void memory_protect(void)
{
}
