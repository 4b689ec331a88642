/* From the reset to main, and what happens at a fault. */
#include <stdint.h>

#include "machine.h"

/* The device has 4 KB; here the parser runs too, and what takes more is to be measured. */
#define STACK_SIZE 524288
#define FAULT_STACK_SIZE 4096

uint8_t stack_bytes[STACK_SIZE] __attribute__((aligned(16)));
uint8_t fault_stack[FAULT_STACK_SIZE] __attribute__((aligned(16)));

/*
 * Kernel, user and double exception lie at 0x30, 0x50 and 0x70 behind the vectors' base. Nothing returns from one:
 * a fault ends the run, on a stack of its own, since the stack may be what is at fault.
 */
__asm__(
	"	.section .vectors, \"ax\"\n"
	"	.begin no-transform\n"
	"	.align 4\n"
	"stack_word: .word fault_stack + 4096\n"
	"fault_word: .word fault\n"
	"	.org 0x30\n"
	"	wsr.excsave1 a0\n"
	"	l32r a1, stack_word\n"
	"	l32r a0, fault_word\n"
	"	jx a0\n"
	"	.org 0x50\n"
	"	wsr.excsave1 a0\n"
	"	l32r a1, stack_word\n"
	"	l32r a0, fault_word\n"
	"	jx a0\n"
	"	.org 0x70\n"
	"	wsr.excsave1 a0\n"
	"	l32r a1, stack_word\n"
	"	l32r a0, fault_word\n"
	"	jx a0\n"
	"	.end no-transform\n"
	"	.section .reset, \"ax\"\n"
	"	.begin no-transform\n"
	"	.global start\n"
	"start: j begin\n"
	"	.align 4\n"
	"top_word: .word stack_bytes + 524288\n"
	"main_word: .word main\n"
	"begin:\n"
	/* User mode, exceptions taken, no interrupts: at reset the mode is that of an exception, in which a fault hangs. */
	"	movi a2, 0x2f\n"
	"	wsr.ps a2\n"
	"	rsync\n"
	"	l32r a1, top_word\n"
	"	l32r a2, main_word\n"
	"	jx a2\n"
	"	.end no-transform\n");

static const char *cause_of(uint32_t cause)
{
	switch (cause) {
	case 0: return "illegal instruction";
	case 3: return "load or store error";
	case 6: return "division by zero";
	case 9: return "unaligned access";
	default: return "fault";
	}
}

void fault(void) __attribute__((noreturn, used));

void fault(void)
{
	uint32_t cause, place, caller, address;
	__asm__ volatile("rsr.exccause %0\n\trsr.epc1 %1\n\trsr.excsave1 %2\n\trsr.excvaddr %3"
		: "=r"(cause), "=r"(place), "=r"(caller), "=r"(address));
	machine_fault(cause_of(cause), place, caller, address);
}
