/*
	What the ESP8266's mask ROM and its registers do for the boot loader. The functions' addresses are in boot.ld, by
	their names in Espressif's eagle.rom.addr.v6.ld.
*/
#ifndef OTA8266_ROM_H
#define OTA8266_ROM_H

#include <stdint.h>

/* Of the flash: 0 when done. They count in bytes, sectors of 4,096 and blocks of 65,536; words only are moved. */
int SPIRead(uint32_t address, void *to, int32_t length);
int SPIWrite(uint32_t address, const void *from, int32_t length);
int SPIEraseSector(uint32_t number);
int SPIEraseBlock(uint32_t number);
/* Until it is called the chip has 4 MiB. */
int SPIParamCfg(uint32_t id, uint32_t chip, uint32_t block, uint32_t sector, uint32_t page, uint32_t statusMask);

int ets_printf(const char *format, ...);
void ets_putc(char character);
void ets_wdt_enable(uint32_t mode, uint32_t first, uint32_t second);
void ets_wdt_disable(void);

/* The first 128 bytes of RTC user memory: words only. */
#define RTC_COMMAND ((volatile uint32_t *)0x60001200)
#define WATCHDOG_FEED (*(volatile uint32_t *)0x60000914)
#define WATCHDOG_FOOD 0x73

#endif
