/* Time is what the event loop waits for, and goes by at once. Without anything to wait for the run has ended. */
#include "host.h"

/* What timers_next says where no timer waits, in turns of the loop. */
#define HOUR 3600000

static uint32_t milliseconds;

uint32_t modMilliseconds(void)
{
	return milliseconds;
}

void watches_look(int timeout)
{
	if (timeout > 0 && timers_next() == HOUR)
		host_exit(0);
	milliseconds += (uint32_t)timeout;
}
