/* Runs the application in the file `application` on the chip whose flash is the file `flash`. */
#include "engine.h"
#include "host.h"
#include "machine.h"

int main(void)
{
	events_begin();
	chip_open("flash", NULL, NULL);
	memory_begin();
	application_read("application");
	machine_begin(0);
	measures_begin(__builtin_frame_address(0));
	loop_run();
}

void machine_fault(const char *name, uint32_t place, uint32_t caller, uint32_t address)
{
	char text[96];
	snprintf(text, sizeof(text), "%s at 0x%08x, called from 0x%08x, address 0x%08x", name, (unsigned)place,
		(unsigned)caller, (unsigned)address);
	host_crash(EXIT_ABORT, text);
}

/* The date of no day: no clock is set. */
int gettimeofday(struct timeval *time, void *zone)
{
	(void)zone;
	time->tv_sec = 0;
	time->tv_usec = (suseconds_t)modMilliseconds() * 1000;
	return 0;
}
