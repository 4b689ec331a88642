/* The time that the script sees. */
#include <time.h>

#include "host.h"

/* Since the first call, which comes with the start. */
uint32_t modMilliseconds(void)
{
	static struct timespec start;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (start.tv_sec == 0)
		start = now;
	return (uint32_t)((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000);
}
