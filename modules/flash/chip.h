#ifndef OTA8266_CHIP_H
#define OTA8266_CHIP_H

#include "xsmc.h"
#include "xsHost.h"
// In this order: spi_flash.h names types that user_interface.h brings.
#include "user_interface.h"
#include "spi_flash.h"

/* The first word of the flash: magic, segment count, flash mode, flash size (high four bits) and frequency. */
static inline uint32_t flashHeader(void)
{
	uint32_t header = 0;

	// 0 in the size's place is a size: what could not be read must be none.
	return modSPIRead(0, sizeof(header), (uint8_t *)&header) ? header : 0xffffffff;
}

/* Bytes of flash that the header tells the SDK's start code, or 0. Beyond them the ROM's functions fail. */
static inline uint32_t configuredFlashSize(void)
{
	switch (flashHeader() >> 28) {
		case 0: return 0x80000;
		case 1: return 0x40000;
		case 2: return 0x100000;
		case 3: return 0x200000;
		case 4: return 0x400000;
		case 5: return 0x200000;
		case 6: return 0x400000;
		case 8: return 0x800000;
		case 9: return 0x1000000;
		default: return 0;
	}
}

/* Bytes of flash by the chip's JEDEC id, whose third byte is the size's logarithm; 0 where that makes no sense. */
static inline uint32_t realFlashSize(void)
{
	uint32_t logarithm = (spi_flash_get_id() >> 16) & 0xff;

	return ((logarithm >= 18) && (logarithm <= 24)) ? (uint32_t)1 << logarithm : 0;
}

/* The flash cache: which MiB is mapped to FLASH_MAP, where a boot loader has chosen one (ESP8266_RTOS_SDK, spi_flash_cache2phys). */
#define CACHE_FLASH_CTRL 0x3ff0000c
#define CACHE_HIGH_MIB (1u << 25)
#define CACHE_BOTH_MIB (1u << 24)
#define FLASH_MAP 0x40200000u
/* Any code of ours: all of it is mapped flash. */
#ifndef CODE_ADDRESS
void xs_esp8266_flash_open(xsMachine *the);
#define CODE_ADDRESS ((uint32_t)xs_esp8266_flash_open)
#endif

/* Flash offset of code that runs, which lies in the image that the boot loader has started. */
static inline uint32_t runningCode(void)
{
	uint32_t cache = READ_PERI_REG(CACHE_FLASH_CTRL);
	uint32_t base = ((cache >> 16) & 3) * 0x200000;

	if (!(cache & CACHE_BOTH_MIB) && (cache & CACHE_HIGH_MIB))
		base += 0x100000;
	return base + (CODE_ADDRESS - FLASH_MAP);
}

/* MD5 of the mask ROM, by the names of the Arduino core's linker script (eagle.rom.addr.v6.ld). */
typedef struct {
	uint32_t state[4];
	uint32_t count[2];
	uint8_t block[64];
} RomMD5;

extern void MD5Init(RomMD5 *md5);
extern void MD5Update(RomMD5 *md5, const uint8_t *bytes, uint16_t length);
extern void MD5Final(uint8_t *digest, RomMD5 *md5);

#endif
