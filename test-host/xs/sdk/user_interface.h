/* What Espressif's user_interface.h declares, as far as native modules use it. sdk.c implements it. */
#ifndef __USER_INTERFACE_H__
#define __USER_INTERFACE_H__

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;

#define STATION_IF 0
#define SOFTAP_IF 1

struct rst_info {
	uint32_t reason;
	uint32_t exccause;
	uint32_t epc1;
	uint32_t epc2;
	uint32_t epc3;
	uint32_t excvaddr;
	uint32_t depc;
};

void system_restart(void);
void system_soft_wdt_feed(void);
uint32_t system_get_chip_id(void);
uint32_t system_get_free_heap_size(void);
const char *system_get_sdk_version(void);
struct rst_info *system_get_rst_info(void);
/* From word 64 on, user memory: offsets in words of 4 bytes. */
bool system_rtc_mem_read(uint8_t word, void *bytes, uint16_t size);
bool system_rtc_mem_write(uint8_t word, const void *bytes, uint16_t size);
bool wifi_get_macaddr(uint8_t network_interface, uint8_t *address);

#endif
