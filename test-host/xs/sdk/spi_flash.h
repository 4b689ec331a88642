/* What Espressif's spi_flash.h declares, as far as native modules use it. sdk.c implements it. */
#ifndef SPI_FLASH_H
#define SPI_FLASH_H

#include <stdint.h>

typedef enum {
	SPI_FLASH_RESULT_OK,
	SPI_FLASH_RESULT_ERR,
	SPI_FLASH_RESULT_TIMEOUT
} SpiFlashOpResult;

uint32_t spi_flash_get_id(void);
SpiFlashOpResult spi_flash_read(uint32_t address, uint32_t *words, uint32_t size);
SpiFlashOpResult spi_flash_write(uint32_t address, uint32_t *words, uint32_t size);
SpiFlashOpResult spi_flash_erase_sector(uint16_t sector);

#endif
