/* What the SDK's xsHost.h for the ESP8266 gives to native modules, as far as they use it. sdk.c implements it. */
#ifndef __XSHOST__
#define __XSHOST__

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memory-map.h"

#define ICACHE_RODATA_ATTR
#define ICACHE_XS6RO_ATTR
#define ICACHE_FLASH_ATTR

#define c_memcpy memcpy
#define c_memmove memmove
#define c_memset memset
#define c_memcmp memcmp
#define c_strcmp strcmp
#define c_strncmp strncmp
#define c_strlen strlen
#define c_strcpy strcpy
/* The hardware's random register. */
#define c_rand() sdk_random()

#define kFlashStart sdk_flash_start()
#define kFlashEnd sdk_flash_end()
#define kFlashSectorSize 4096

uint32_t sdk_random(void);

/* 1, or 0 on failure. */
uint8_t modSPIRead(uint32_t offset, uint32_t size, uint8_t *bytes);
uint8_t modSPIWrite(uint32_t offset, uint32_t size, const uint8_t *bytes);
uint8_t modSPIErase(uint32_t offset, uint32_t size);

uint32_t modMilliseconds(void);

/* The chip's registers, and where the application's code is mapped, which here is not what runs. */
#define READ_PERI_REG(address) sdk_register(address)
#define CODE_ADDRESS sdk_code_address()
uint32_t sdk_register(uint32_t address);
uint32_t sdk_code_address(void);

/* The Arduino core's. */
#define OUTPUT 1
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
/* The GPIO input register. */
#define GPI sdk_gpio_input()
uint32_t sdk_gpio_input(void);

#endif
