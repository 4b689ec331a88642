/*
 * The functions of the SDK and of Espressif's libraries that the native modules of the device call, on the
 * virtual chip.
 */
#include <stdio.h>
#include <string.h>

#include "../digest.h"
#include "../host.h"
#include "spi_flash.h"
#include "user_interface.h"
#include "xsHost.h"

/* A usual manufacturer and type; the third byte is the logarithm of the size. */
#define JEDEC_ID 0x40ef
#define RTC_SYSTEM_WORDS 64
#define RTC_USER_LENGTH 512
/* About what a release build of the SDK has. */
#define FREE_HEAP 15000
#define SPOOL 512

/* By their numbers, in the words of the command line. */
static const char *const reasons[] = {
	"Power On", "Hardware Watchdog", "Exception", "Software Watchdog", "Software/System restart", "Deep-Sleep Wake",
	"External System",
};
#define REASON_COUNT ((uint32_t)(sizeof(reasons) / sizeof(reasons[0])))

static bool inside(uint32_t address, uint32_t size)
{
	return address <= chip.flash_size && size <= chip.flash_size - address;
}

uint32_t spi_flash_get_id(void)
{
	uint32_t logarithm = 0;
	while ((1u << logarithm) < chip.flash_size)
		logarithm++;
	return logarithm << 16 | JEDEC_ID;
}

/* Espressif's three take whole words only. */
SpiFlashOpResult spi_flash_read(uint32_t address, uint32_t *words, uint32_t size)
{
	if (address % 4 || size % 4 || !inside(address, size))
		return SPI_FLASH_RESULT_ERR;
	flash_read(address, (uint8_t *)words, size);
	return SPI_FLASH_RESULT_OK;
}

SpiFlashOpResult spi_flash_write(uint32_t address, uint32_t *words, uint32_t size)
{
	if (address % 4 || size % 4 || !inside(address, size))
		return SPI_FLASH_RESULT_ERR;
	return flash_program(address, (uint8_t *)words, size) ? SPI_FLASH_RESULT_OK : SPI_FLASH_RESULT_ERR;
}

SpiFlashOpResult spi_flash_erase_sector(uint16_t sector)
{
	uint32_t address = (uint32_t)sector * kFlashSectorSize;
	if (!inside(address, kFlashSectorSize))
		return SPI_FLASH_RESULT_ERR;
	return flash_erase(address, kFlashSectorSize) ? SPI_FLASH_RESULT_OK : SPI_FLASH_RESULT_ERR;
}

/*
 * Any place and length, by whole words, at most SPOOL bytes at once: what pads the first and the last word is
 * read and dropped, or written as ones, which program nothing.
 */
uint8_t modSPIRead(uint32_t offset, uint32_t size, uint8_t *bytes)
{
	uint32_t words[SPOOL / 4];
	while (size > 0) {
		uint32_t skip = offset % 4;
		uint32_t part = SPOOL - skip < size ? SPOOL - skip : size;
		if (spi_flash_read(offset - skip, words, (skip + part + 3) & ~3u) != SPI_FLASH_RESULT_OK)
			return 0;
		memcpy(bytes, (uint8_t *)words + skip, part);
		offset += part;
		bytes += part;
		size -= part;
	}
	return 1;
}

uint8_t modSPIWrite(uint32_t offset, uint32_t size, const uint8_t *bytes)
{
	uint32_t words[SPOOL / 4];
	while (size > 0) {
		uint32_t skip = offset % 4;
		uint32_t part = SPOOL - skip < size ? SPOOL - skip : size;
		memset(words, 0xff, sizeof(words));
		memcpy((uint8_t *)words + skip, bytes, part);
		if (spi_flash_write(offset - skip, words, (skip + part + 3) & ~3u) != SPI_FLASH_RESULT_OK)
			return 0;
		offset += part;
		bytes += part;
		size -= part;
	}
	return 1;
}

uint8_t modSPIErase(uint32_t offset, uint32_t size)
{
	if (offset % kFlashSectorSize || size % kFlashSectorSize)
		return 0;
	for (; size > 0; size -= kFlashSectorSize, offset += kFlashSectorSize)
		if (spi_flash_erase_sector((uint16_t)(offset / kFlashSectorSize)) != SPI_FLASH_RESULT_OK)
			return 0;
	return 1;
}

void system_soft_wdt_feed(void)
{
	chip_beat();
}

uint32_t system_get_chip_id(void)
{
	return (uint32_t)chip.mac[3] << 16 | (uint32_t)chip.mac[4] << 8 | chip.mac[5];
}

uint32_t system_get_free_heap_size(void)
{
	return FREE_HEAP;
}

const char *system_get_sdk_version(void)
{
	return "virtual";
}

struct rst_info *system_get_rst_info(void)
{
	static struct rst_info info;
	for (info.reason = 0; info.reason < REASON_COUNT; info.reason++)
		if (!strcmp(reasons[info.reason], chip.reset_reason))
			break;
	return &info;
}

static uint8_t *rtc_place(uint8_t word, uint16_t size)
{
	uint32_t offset = ((uint32_t)word - RTC_SYSTEM_WORDS) * 4;
	if (word < RTC_SYSTEM_WORDS || size % 4 || offset + size > RTC_USER_LENGTH)
		return NULL;
	return chip.rtc + offset;
}

bool system_rtc_mem_read(uint8_t word, void *bytes, uint16_t size)
{
	uint8_t *place = rtc_place(word, size);
	if (place)
		memcpy(bytes, place, size);
	return place != NULL;
}

bool system_rtc_mem_write(uint8_t word, const void *bytes, uint16_t size)
{
	uint8_t *place = rtc_place(word, size);
	if (place)
		memcpy(place, bytes, size);
	return place != NULL;
}

/* The access point's address has the bit of a locally administered one. */
bool wifi_get_macaddr(uint8_t network_interface, uint8_t *address)
{
	memcpy(address, chip.mac, sizeof(chip.mac));
	if (network_interface == SOFTAP_IF)
		address[0] |= 2;
	return true;
}

/* Arms the reset, which comes while the caller yields. */
void system_restart(void)
{
}

void esp_yield(void);

void esp_yield(void)
{
	host_exit(EXIT_RESTART);
}

uint32_t sdk_gpio_input(void)
{
	return (uint32_t)chip.boot_mode << 16;
}

/* Of the flash cache's, which MiB is mapped: the boot loader has chosen that of the image that it starts. */
uint32_t sdk_register(uint32_t address)
{
	uint32_t mib = chip.running >> 20;
	return address == 0x3ff0000c ? (mib >> 1) << 16 | (mib & 1) << 25 : 0;
}

uint32_t sdk_code_address(void)
{
	return 0x40200000 + (chip.running & 0xfffff);
}

/* The mask ROM's MD5, by the same state as the module crypt's. */
typedef struct {
	uint32_t state[4];
	uint32_t count[2];
	uint8_t block[64];
} RomMD5;

void MD5Init(RomMD5 *digest);
void MD5Update(RomMD5 *digest, const uint8_t *bytes, uint16_t length);
void MD5Final(uint8_t *result, RomMD5 *digest);

void MD5Init(RomMD5 *digest)
{
	memset(digest, 0, sizeof(*digest));
	memcpy(digest->state, md5.start, sizeof(digest->state));
}

void MD5Update(RomMD5 *digest, const uint8_t *bytes, uint16_t length)
{
	for (; length > 0; length--) {
		digest->block[digest->count[0]++ % DIGEST_BLOCK] = *bytes++;
		if (digest->count[0] % DIGEST_BLOCK == 0)
			md5.compress(digest->state, digest->block);
	}
}

void MD5Final(uint8_t *result, RomMD5 *digest)
{
	uint64_t bits = 8 * (uint64_t)digest->count[0];
	MD5Update(digest, (const uint8_t *)"\x80", 1);
	while (digest->count[0] % DIGEST_BLOCK != DIGEST_BLOCK - sizeof(bits))
		MD5Update(digest, (const uint8_t *)"", 1);
	MD5Update(digest, (const uint8_t *)&bits, sizeof(bits));
	memcpy(result, digest->state, sizeof(digest->state));
}

void pinMode(uint8_t pin, uint8_t mode)
{
	(void)pin;
	(void)mode;
}

void digitalWrite(uint8_t pin, uint8_t value)
{
	(void)pin;
	(void)value;
}
