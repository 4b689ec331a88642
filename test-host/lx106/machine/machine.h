/* What the files of the emulated machine give each other. */
#ifndef OTA8266_LX106_MACHINE_H
#define OTA8266_LX106_MACHINE_H

#include <stdint.h>

/* Ends the run, with a line that tells what the instruction at `place` did to `address`; `caller`: register a0. */
void machine_fault(const char *name, uint32_t place, uint32_t caller, uint32_t address) __attribute__((noreturn));

/* measures.c */

/* The C stack is counted from here. */
void measures_begin(uint8_t *stack_top);

#endif
