/* What the files of the emulated machine give each other. */
#ifndef OTA8266_LX106_MACHINE_H
#define OTA8266_LX106_MACHINE_H

#include <stdint.h>

/* Ends the run, with a line that tells what the instruction at `place` did to `address`; `caller`: register a0. */
void machine_fault(const char *name, uint32_t place, uint32_t caller, uint32_t address) __attribute__((noreturn));

/* measures.c */

/* The C stack is counted from here. */
void measures_begin(uint8_t *stack_top);

/* Whose instructions: what is entered counts until it is left, less what is entered in between. */
enum { PART_SCRIPT, PART_NATIVE, PART_DIGEST, PART_CHIP, PART_COUNT };

/* Gives the part that was open, for `measure_leave`. An exception leaves a part open until the next start. */
int measure_enter(int part);
void measure_leave(int outer);

/* wraps.c, which the build makes: functions around those that are counted, for ld --wrap. */

extern const char *const wrapped_names[];
extern uint32_t wrapped_calls[];
extern const int wrapped_count;

#endif
