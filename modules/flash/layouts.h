/* Made by "npm run layouts" from partitions/. */
#ifndef OTA8266_LAYOUTS_H
#define OTA8266_LAYOUTS_H

#include "flash.h"

#define PARTITION_COUNT 24

static const Partition partitions[PARTITION_COUNT] ICACHE_RODATA_ATTR = {
	/* generic-512k.json */
	{0x080000, 0x000000, 0x071000, PARTITION_READ_ONLY, "running"},
	{0x080000, 0x000000, 0x071000, PARTITION_BEHIND_RUNNING, "nextota"},
	{0x080000, 0x071000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x080000, 0x073000, 0x008000, 0, "storage"},
	/* generic-1m.json */
	{0x100000, 0x000000, 0x0e9000, PARTITION_READ_ONLY, "running"},
	{0x100000, 0x000000, 0x0e9000, PARTITION_BEHIND_RUNNING, "nextota"},
	{0x100000, 0x0e9000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x100000, 0x0eb000, 0x010000, 0, "storage"},
	/* generic-2m.json */
	{0x200000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x200000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x200000, 0x102000, 0x0ee000, 0, "nextota"},
	{0x200000, 0x1f0000, 0x00b000, 0, "storage"},
	/* nodemcu-4m.json */
	{0x400000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x400000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x400000, 0x102000, 0x0fe000, 0, "nextota"},
	{0x400000, 0x200000, 0x1fa000, 0, "storage"},
	/* generic-8m.json */
	{0x800000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x800000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x800000, 0x102000, 0x0fe000, 0, "nextota"},
	{0x800000, 0x200000, 0x5fa000, 0, "storage"},
	/* generic-16m.json */
	{0x1000000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x1000000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x1000000, 0x102000, 0x0fe000, 0, "nextota"},
	{0x1000000, 0x200000, 0xdfa000, 0, "storage"},
};

#endif
