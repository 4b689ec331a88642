/* The virtual chip's memories, which are files that other processes see too. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "sdk/xsHost.h"

#define RTC_LENGTH 512

Chip chip;

static volatile int32_t *control;
static uint32_t control_words;

static void *map(const char *path, uint32_t *size)
{
	struct stat status;
	void *memory;
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	if (descriptor < 0 || fstat(descriptor, &status))
		host_usage("%s: %s", path, strerror(errno));
	if (status.st_size == 0)
		host_usage("%s is empty", path);
	*size = (uint32_t)status.st_size;
	memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (memory == MAP_FAILED)
		host_usage("%s: %s", path, strerror(errno));
	close(descriptor);
	return memory;
}

void chip_open(const char *flash, const char *rtc, const char *control_path)
{
	uint32_t size;
	chip.flash = map(flash, &chip.flash_size);
	chip.rtc = map(rtc, &size);
	if (size != RTC_LENGTH)
		host_usage("%s has %u bytes, RTC user memory %d", rtc, size, RTC_LENGTH);
	control = map(control_path, &size);
	control_words = size / sizeof(int32_t);
	if (control_words < 4)
		host_usage("%s is no control", control_path);
	flash_model_begin(control);
}

/* The control's last word. */
void chip_beat(void)
{
	control[control_words - 1]++;
}

uint32_t sdk_random(void)
{
	uint32_t word;
	if (getrandom(&word, sizeof(word), 0) != sizeof(word))
		host_usage("no random numbers");
	return word;
}
