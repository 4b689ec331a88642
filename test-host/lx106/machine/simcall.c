/* The system calls of Xtensa's simulator, which QEMU serves: files of the folder that it was started in. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* The C library takes it from the program. */
#undef errno
int errno;

enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4, SYS_OPEN = 5, SYS_CLOSE = 6, SYS_LSEEK = 19 };

static int simcall(int number, int a, int b, int c)
{
	register int a2 __asm__("a2") = number;
	register int a3 __asm__("a3") = a;
	register int a4 __asm__("a4") = b;
	register int a5 __asm__("a5") = c;
	/* The instruction SIMCALL, which the assembler of this core does not have. */
	__asm__ volatile(".byte 0x00, 0x51, 0x00" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
	if (a2 < 0)
		errno = a3;
	return a2;
}

void _exit(int code)
{
	for (;;)
		simcall(SYS_EXIT, code, 0, 0);
}

void abort(void)
{
	_exit(134);
}

ssize_t read(int descriptor, void *bytes, size_t length)
{
	return simcall(SYS_READ, descriptor, (int)bytes, (int)length);
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
	return simcall(SYS_WRITE, descriptor, (int)bytes, (int)length);
}

int open(const char *path, int flags, ...)
{
	(void)flags;
	return simcall(SYS_OPEN, (int)path, 0, 0);
}

int close(int descriptor)
{
	return simcall(SYS_CLOSE, descriptor, 0, 0);
}

off_t lseek(int descriptor, off_t offset, int whence)
{
	return simcall(SYS_LSEEK, descriptor, (int)offset, whence);
}

/* Whether the descriptor is there: the host asks no more. */
int fcntl(int descriptor, int command, ...)
{
	(void)descriptor;
	(void)command;
	return 0;
}
