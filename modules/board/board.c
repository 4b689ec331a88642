/*
	What the chip tells and does beyond the SDK's modules: see ota/board.ts.
*/
#include "../arguments.h"
#include "../flash/chip.h"

/* RTC user memory: the 512 bytes at 0x60001200. The SDK's functions count in words from 0x60001100. */
#define RTC_USER_LENGTH 512
#define RTC_USER_BLOCK 64
/* eboot's command: the first bytes of RTC user memory. */
#define COMMAND_LENGTH 128
/* The blue LED of the ESP-12E module, which lights when the pin is low. Its UART1 is not used by the SDK. */
#define LED_PIN 2
/* Of the C stack. */
#define SPOOL_LENGTH 64

/* Arduino core; declared in none of its headers for C. */
extern void esp_yield(void);

void xs_esp8266_board_chipId(xsMachine *the)
{
	xsmcSetInteger(xsResult, system_get_chip_id());
}

/* (interface): 0 station, 1 access point */
void xs_esp8266_board_mac(xsMachine *the)
{
	uint8_t address[6];
	char text[3 * sizeof(address)];
	char *to = text;
	uint32_t i;

	if (!wifi_get_macaddr(wholeArgument(the, 0, SOFTAP_IF), address))
		xsUnknownError("no MAC address");
	for (i = 0; i < 2 * sizeof(address); i++) {
		uint8_t digit = (i & 1) ? (address[i / 2] & 15) : (address[i / 2] >> 4);

		*to++ = (digit < 10) ? '0' + digit : 'A' + digit - 10;
		if (i & 1)
			*to++ = ':';
	}
	text[sizeof(text) - 1] = 0;
	xsmcSetString(xsResult, text);
}

void xs_esp8266_board_flashSize(xsMachine *the)
{
	xsmcSetInteger(xsResult, realFlashSize());
}

void xs_esp8266_board_configuredFlashSize(xsMachine *the)
{
	xsmcSetInteger(xsResult, configuredFlashSize());
}

void xs_esp8266_board_flashMode(xsMachine *the)
{
	xsmcSetInteger(xsResult, (flashHeader() >> 16) & 0xff);
}

/* Bits 16 to 19 of the GPIO input register hold the strapping pins as they were at reset. */
void xs_esp8266_board_bootMode(xsMachine *the)
{
	xsmcSetInteger(xsResult, (GPI >> 16) & 15);
}

void xs_esp8266_board_resetReason(xsMachine *the)
{
	xsmcSetInteger(xsResult, system_get_rst_info()->reason);
}

void xs_esp8266_board_freeHeap(xsMachine *the)
{
	xsmcSetInteger(xsResult, system_get_free_heap_size());
}

void xs_esp8266_board_uptime(xsMachine *the)
{
	uint32_t milliseconds = modMilliseconds();

	// A number that is no integer to the engine costs it much of its stack when it becomes text.
	if (milliseconds <= INT32_MAX)
		xsmcSetInteger(xsResult, milliseconds);
	else
		xsmcSetNumber(xsResult, milliseconds);
}

void xs_esp8266_board_sdkVersion(xsMachine *the)
{
	xsmcSetString(xsResult, (char *)system_get_sdk_version());
}

/* c_rand is the SDK's name of the hardware's random register; each byte takes the bits of a whole reading. */
void xs_esp8266_board_random(xsMachine *the)
{
	uint32_t length;
	uint8_t *bytes = writableArgument(the, 0, &length);

	while (length--) {
		uint32_t word = c_rand();

		*bytes++ = word ^ (word >> 8) ^ (word >> 16) ^ (word >> 24);
	}
}

static void checkRTC(xsMachine *the, uint32_t offset, uint32_t length)
{
	if ((offset % 4) || (length % 4) || (length > RTC_USER_LENGTH - offset))
		xsRangeError("no words of RTC user memory");
}

/* The words of RTC memory can only be loaded and stored whole, the buffer's bytes may lie anywhere. */
static void storeRTC(xsMachine *the, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	uint32_t end = offset + length;

	for (; offset < end; offset += 4, bytes += 4) {
		uint32_t word;

		c_memcpy(&word, bytes, 4);
		if (!system_rtc_mem_write(RTC_USER_BLOCK + offset / 4, &word, 4))
			xsUnknownError("write failed");
	}
}

/* (buffer, offset) */
void xs_esp8266_board_readRTC(xsMachine *the)
{
	uint32_t offset = wholeArgument(the, 1, RTC_USER_LENGTH);
	uint32_t length, end;
	uint8_t *bytes = writableArgument(the, 0, &length);

	checkRTC(the, offset, length);
	for (end = offset + length; offset < end; offset += 4, bytes += 4) {
		uint32_t word;

		if (!system_rtc_mem_read(RTC_USER_BLOCK + offset / 4, &word, 4))
			xsUnknownError("read failed");
		c_memcpy(bytes, &word, 4);
	}
}

/* (buffer, offset) */
void xs_esp8266_board_writeRTC(xsMachine *the)
{
	uint32_t offset = wholeArgument(the, 1, RTC_USER_LENGTH);
	uint32_t length;
	const uint8_t *bytes = readableArgument(the, 0, &length);

	if (offset < COMMAND_LENGTH)
		xsRangeError("the boot loader's memory is written by handOver");
	checkRTC(the, offset, length);
	storeRTC(the, offset, bytes, length);
}

/*
	system_restart stops Wi-Fi and arms a timer of 100 ms that resets the chip. It must be let run, but script
	must not run again. Script, its timers and its sockets' callbacks all run in the one loop that this call
	came from, and esp_yield suspends that loop: the SDK's tasks go on, and when something wakes the loop
	early, it is suspended again.
*/
static XS_FUNCTION_NORETURN void restart(void)
{
	system_restart();
	while (1)
		esp_yield();
}

/*
	(command): the boot loader's command to RTC memory, and the reset that makes it read. The SDK's clock
	(rtctime) keeps its state in the first ten of these words. Script, which is where the clock is read and
	set, does not run again; the clock's own timer, which may still fire, writes only while word 0 holds the
	clock's magic, and word 0 is the first to be overwritten. A reset half way leaves a wrong CRC: no command.
*/
void xs_esp8266_board_handOver(xsMachine *the)
{
	uint32_t length;
	const uint8_t *command = readableArgument(the, 0, &length);

	if (length != COMMAND_LENGTH)
		xsRangeError("a command has %d bytes", COMMAND_LENGTH);
	storeRTC(the, 0, command, length);
	restart();
}

void xs_esp8266_board_restart(xsMachine *the)
{
	(void)the;
	restart();
}

/* The hardware's own watchdog is fed by the SDK as long as this one is content. */
void xs_esp8266_board_feedWatchdog(xsMachine *the)
{
	(void)the;
	system_soft_wdt_feed();
}

/* (bytes, crc): of what came before, 0 at the beginning. By words of a table, since it lies in flash. */
void xs_esp8266_board_gzipCRC(xsMachine *the)
{
	static const uint32_t table[16] ICACHE_RODATA_ATTR = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint8_t spool[SPOOL_LENGTH];
	uint32_t crc = ~wholeArgument(the, 1, UINT32_MAX);
	uint32_t length;
	const uint8_t *bytes = readableArgument(the, 0, &length);

	while (length) {
		uint32_t count = (length < SPOOL_LENGTH) ? length : SPOOL_LENGTH;
		uint32_t i;

		// The buffer may lie in flash, too.
		c_memcpy(spool, bytes, count);
		for (i = 0; i < count; i++) {
			crc ^= spool[i];
			crc = (crc >> 4) ^ table[crc & 15];
			crc = (crc >> 4) ^ table[crc & 15];
		}
		bytes += count;
		length -= count;
	}
	xsmcSetNumber(xsResult, (xsNumberValue)~crc);
}

/* (on) */
void xs_esp8266_board_led(xsMachine *the)
{
	uint8_t isOn = !isMissing(the, 0) && xsmcToBoolean(xsArg(0));

	pinMode(LED_PIN, OUTPUT);
	digitalWrite(LED_PIN, !isOn);
}
