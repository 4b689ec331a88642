/* What the parts of the host give each other. */
#ifndef OTA8266_HOST_H
#define OTA8266_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the process ends, as its exit code. */
enum {
	EXIT_USAGE = 2,
	EXIT_RESTART = 100,
	EXIT_POWER_CUT = 101,
	EXIT_MEMORY_FULL = 110,
	EXIT_STACK_OVERFLOW = 111,
	EXIT_TOO_MANY_CYCLES = 112,
	EXIT_EXCEPTION = 113,
	EXIT_ABORT = 114,
};

/* exit.c */

/* Ends the process, having told the peaks. */
void host_exit(int code) __attribute__((noreturn));
/* Ends the process with a text to the UART: a crash. */
void host_crash(int code, const char *text) __attribute__((noreturn));
/* Ends the process because of how it was called. */
void host_usage(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* process.c */

/* Ends with its parent, and when it is told to. */
void process_begin(void);

/* peaks.c */

void peaks_tell(void);
/* Before each callback: the limit of cycles counts anew. */
void peaks_turn(void);

/* events.c */

void events_begin(void);
/* One JSON object on a line, to descriptor 3. */
void event_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* `text` as JSON, in quotes, into `quoted`; what does not fit is left out. */
const char *event_quote(char *quoted, size_t size, const char *text);
void uart_write(const char *text, size_t length);

/* watches.c */

typedef struct Watch Watch;
/* A descriptor that the loop looks at. */
struct Watch {
	int descriptor;
	/* What poll is to look for; 0 for nothing, not even errors. */
	short events;
	void (*ready)(Watch *watch, short events);
	Watch *next;
};

void watch_add(Watch *watch);
/* The watch may be freed at once. */
void watch_remove(Watch *watch);
/* Lets those call back that have something; waits for that, `timeout` milliseconds at most. */
void watches_look(int timeout);

/* loop.c */

/* Calls back when the event loop turns. */
void loop_post(void (*deliver)(void *of), void *of);
/* Milliseconds until the next timer, and those that are due. timer.c */
int timers_next(void);
void timers_run(void);
void loop_run(void) __attribute__((noreturn));

/* clock.c: since the start. */
uint32_t modMilliseconds(void);

/* application.c: the resource of that name, in flash; NULL where there is none. */
const uint8_t *application_resource(const char *name, uint32_t *size);

/* chip.c: what the command line tells of the chip. */

typedef struct {
	uint8_t *flash;
	uint32_t flash_size;
	/* 512 bytes of RTC user memory. */
	uint8_t *rtc;
	uint8_t mac[6];
	int boot_mode;
	/* Flash offset of the image that the boot loader has started. */
	uint32_t running;
	const char *reset_reason;
} Chip;

extern Chip chip;

void chip_open(const char *flash, const char *rtc, const char *control);
/* Food for the watchdog. */
void chip_beat(void);

/* The flash's operations as NOR flash has them: false where the chip reports a failure. flash-model.c */
void flash_model_begin(volatile int32_t *control);
void flash_read(uint32_t address, uint8_t *bytes, uint32_t length);
bool flash_program(uint32_t address, const uint8_t *bytes, uint32_t length);
bool flash_erase(uint32_t address, uint32_t length);

/* natives.c, which the build makes */

typedef struct {
	const char *name;
	/* xsCallback, or xsDestructor. */
	void (*function)(void);
} Native;

extern const Native host_natives[];
extern const int host_native_count;
extern const char *const host_id_names[];
extern const int host_id_count;
extern uint16_t host_ids[];

typedef struct {
	const char *name;
	const char *source;
} BuiltInModule;

extern const BuiltInModule host_modules[];
extern const int host_module_count;

#endif
