/* Made by "npm run layouts" from partitions/. */
#ifndef OTA8266_LAYOUTS_H
#define OTA8266_LAYOUTS_H

#include "flash.h"
#include "mc.defines.h"

static const Partition partitions[] ICACHE_RODATA_ATTR = {
	/* generic-512k.json */
	{0x080000, 0x000000, 0x06e000, PARTITION_READ_ONLY, "running"},
	{0x080000, 0x000000, 0x06e000, PARTITION_BEHIND_RUNNING, "nextota"},
	{0x080000, 0x06e000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x080000, 0x070000, 0x001000, 0, "bootrecord"},
	{0x080000, 0x071000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x080000, 0x073000, 0x008000, 0, "storage"},
	/* generic-1m.json */
	{0x100000, 0x000000, 0x0e6000, PARTITION_READ_ONLY, "running"},
	{0x100000, 0x000000, 0x0e6000, PARTITION_BEHIND_RUNNING, "nextota"},
	{0x100000, 0x0e6000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x100000, 0x0e8000, 0x001000, 0, "bootrecord"},
	{0x100000, 0x0e9000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x100000, 0x0eb000, 0x010000, 0, "storage"},
	/* generic-2m.json */
	{0x200000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x200000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x200000, 0x102000, 0x001000, 0, "bootrecord"},
	{0x200000, 0x103000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x200000, 0x105000, 0x0eb000, 0, "nextota"},
	{0x200000, 0x1f0000, 0x00b000, 0, "storage"},
#if MODDEF_OTA8266_FILESYSTEM_MIB == 1
	/* nodemcu-4m-1m.json */
	{0x400000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x400000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x400000, 0x102000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x400000, 0x104000, 0x0fe000, PARTITION_READ_ONLY, "previous"},
	{0x400000, 0x202000, 0x0fe000, 0, "nextota"},
	{0x400000, 0x300000, 0x0fa000, 0, "storage"},
	{0x400000, 0x3fa000, 0x001000, 0, "bootrecord"},
#elif MODDEF_OTA8266_FILESYSTEM_MIB == 3
	/* nodemcu-4m-3m.json */
	{0x400000, 0x000000, 0x0fe000, PARTITION_READ_ONLY, "running"},
	{0x400000, 0x000000, 0x0fe000, PARTITION_BEHIND_RUNNING, "nextota"},
	{0x400000, 0x0fe000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x400000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x400000, 0x102000, 0x2f8000, 0, "storage"},
	{0x400000, 0x3fa000, 0x001000, 0, "bootrecord"},
#elif !defined(MODDEF_OTA8266_FILESYSTEM_MIB) || MODDEF_OTA8266_FILESYSTEM_MIB == 2
	/* nodemcu-4m.json */
	{0x400000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x400000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x400000, 0x102000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x400000, 0x104000, 0x0fc000, 0, "nextota"},
	{0x400000, 0x200000, 0x1fa000, 0, "storage"},
	{0x400000, 0x3fa000, 0x001000, 0, "bootrecord"},
#else
#error "no layout has a filesystem of that many MiB: 1, 2, 3"
#endif
	/* generic-8m.json */
	{0x800000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x800000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x800000, 0x102000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x800000, 0x104000, 0x0fc000, 0, "nextota"},
	{0x800000, 0x200000, 0x5fa000, 0, "storage"},
	{0x800000, 0x7fa000, 0x001000, 0, "bootrecord"},
	/* generic-16m.json */
	{0x1000000, 0x000000, 0x100000, PARTITION_READ_ONLY, "running"},
	{0x1000000, 0x100000, 0x002000, PARTITION_READ_ONLY, "preferences"},
	{0x1000000, 0x102000, 0x002000, PARTITION_READ_ONLY, "bootstages"},
	{0x1000000, 0x104000, 0x0fc000, 0, "nextota"},
	{0x1000000, 0x200000, 0xdfa000, 0, "storage"},
	{0x1000000, 0xffa000, 0x001000, 0, "bootrecord"},
};

#define PARTITION_COUNT ((int)(sizeof(partitions) / sizeof(Partition)))

#endif
