/* The process among others. */
#include <signal.h>
#include <sys/prctl.h>

#include "host.h"

static void on_terminate(int signal)
{
	host_exit(128 + signal);
}

void process_begin(void)
{
	/* A board without its parent would run for ever. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_terminate);
}
