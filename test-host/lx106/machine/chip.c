/* The chip on QEMU: its flash is a file that is read at the start, and forgotten in the end. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "sdk/xsHost.h"

#define FLASH_SIZE 0x400000
#define CONTROL_WORDS 128

Chip chip;

static uint8_t rtc[512] __attribute__((aligned(4)));
/* The power is on, and no fault waits. */
static volatile int32_t control[CONTROL_WORDS] = { 1 };

void chip_open(const char *flash, const char *rtc_file, const char *control_file)
{
	static const uint8_t mac[6] = { 0x18, 0xfe, 0x34, 0xab, 0xcd, 0xef };
	int descriptor = open(flash, O_RDONLY);
	uint32_t got = 0;
	(void)rtc_file;
	(void)control_file;
	chip.flash = malloc(FLASH_SIZE);
	if (descriptor < 0 || !chip.flash)
		host_usage("no flash");
	while (got < FLASH_SIZE) {
		int count = (int)read(descriptor, chip.flash + got, FLASH_SIZE - got);
		if (count <= 0)
			host_usage("flash: %u bytes of %u", (unsigned)got, FLASH_SIZE);
		got += (uint32_t)count;
	}
	close(descriptor);
	for (int i = 0; i < 6; i++)
		chip.mac[i] = mac[i];
	chip.flash_size = FLASH_SIZE;
	chip.rtc = rtc;
	chip.boot_mode = 3;
	chip.reset_reason = "Power On";
	flash_model_begin(control);
}

void chip_beat(void)
{
}

/* The same numbers in each run. */
uint32_t sdk_random(void)
{
	static uint32_t state = 2463534242u;
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}
