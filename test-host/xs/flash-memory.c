/* What stands for the flash that is mapped into the device's memory: pages that are read-only once all is there. */
#include <signal.h>
#include <sys/mman.h>

#include "engine.h"
#include "host.h"

void *flash_memory_map(size_t size)
{
	void *flash = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (flash == MAP_FAILED)
		host_usage("no memory");
	return flash;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	uint8_t *address = info->si_addr;
	(void)signal;
	(void)context;
	if (address >= flash_memory.begin && address < flash_memory.end)
		host_crash(EXIT_ABORT, "write to what is in flash");
	host_crash(EXIT_ABORT, "illegal access");
}

void memory_protect(void)
{
	/* A C stack overflow shows as a fault too: the handler needs a stack of its own. */
	static uint8_t stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (mprotect(flash_memory.begin, (size_t)(flash_memory.end - flash_memory.begin), PROT_READ))
		host_usage("mprotect: %s", strerror(errno));
}
