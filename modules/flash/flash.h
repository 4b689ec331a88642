#ifndef OTA8266_FLASH_H
#define OTA8266_FLASH_H

#include <stdint.h>

#define PARTITION_READ_ONLY 1
/* Begins on the sector behind the firmware that runs. */
#define PARTITION_BEHIND_RUNNING 2

/* Lies in flash on the device, where only whole words can be loaded: the names by the SDK's c_ functions alone. */
typedef struct {
	/* The layout that the partition belongs to. */
	uint32_t flashSize;
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	char name[12];
} Partition;

#endif
