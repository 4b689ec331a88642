/* Flash that is mapped into memory: here, what the device would have there. */
#ifndef OTA8266_MEMORY_MAP_H
#define OTA8266_MEMORY_MAP_H

#include <stdint.h>

uint8_t *sdk_flash_start(void);
uint8_t *sdk_flash_end(void);

#endif
