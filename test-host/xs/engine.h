/* The engine from the inside: for the files that do what the SDK's linker and start code do. */
#ifndef OTA8266_ENGINE_H
#define OTA8266_ENGINE_H

#include "xsAll.h"
#include "xsScript.h"
#include "xs.h"

/* memory.c */

/* Where a machine's memory lies: chunks grow up from the beginning, slots down from the end. */
typedef struct {
	uint8_t *begin;
	uint8_t *end;
	uint8_t *chunks;
	uint8_t *slots;
	/* Bytes between the two that neither ever reached. */
	uint32_t unused;
} Region;

/* The device's block, and the memory that a device has in flash. */
extern Region block;
extern Region flash_memory;

void memory_begin(void);
/* From flash memory; ends the process where there is none left. */
void *memory_take(size_t size);

/* flash-memory.c */

/* Memory for what is in flash; ends the process where there is none. */
void *flash_memory_map(size_t size);
/* Makes everything that was allocated in flash memory read-only. A write then ends the process. */
void memory_protect(void);

/* machine.c */

/* The application's machine, its `main` to run in the loop's first turn. `stack`: slots, or 0 as the SDK has it. */
txMachine *machine_begin(int stack);

/* application.c */

/* Reads the container. Ends the process where it is none. */
void application_read(const char *file);
/* Compiles every module in the root. */
void application_compile(txMachine *root);
/* Evaluates those to be preloaded, in the root. */
void application_preload(txMachine *root);
/* Settles promises until none is left to. */
void application_jobs(txMachine *the);

/* direct.c */

/* The source with native() and Native() as the engine's parser knows them. To be freed. */
char *direct_natives(const char *source);

/* freeze.c */

/* Makes what the root holds as unchangeable as it is in a device's flash. */
void freeze_built_ins(txMachine *root);
void freeze_heap(txMachine *root);

/* globals.c */

void globals_install(txMachine *root);

/* peaks.c */

void peaks_begin(txMachine *the, uint32_t meter_limit);

#endif
