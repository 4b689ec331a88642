/* How the process ends. */
#include <stdarg.h>

#include "engine.h"
#include "host.h"

void host_exit(int code)
{
	peaks_tell();
	_exit(code);
}

void host_crash(int code, const char *text)
{
	static const char before[] = "\r\nFatal exception: ";
	uart_write(before, sizeof(before) - 1);
	uart_write(text, strlen(text));
	uart_write("\r\n", 2);
	host_exit(code);
}

void host_usage(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "xs-host: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	va_end(arguments);
	_exit(EXIT_USAGE);
}

/* What an exception says, without running any script: there may be no memory for it. */
static const char *text_of(txMachine *the, txSlot *slot)
{
	if (mxIsStringPrimitive(slot))
		return slot->value.string;
	if (slot->kind == XS_REFERENCE_KIND) {
		txSlot *property = mxBehaviorGetProperty(the, slot->value.reference, mxID(_message), 0, XS_ANY);
		if (property && mxIsStringPrimitive(property) && property->value.string[0])
			return property->value.string;
		property = mxBehaviorGetProperty(the, slot->value.reference, mxID(_name), 0, XS_ANY);
		if (property && mxIsStringPrimitive(property))
			return property->value.string;
	}
	return "uncaught exception";
}

void fxAbort(txMachine *the, int status)
{
	switch (status) {
	case XS_NOT_ENOUGH_MEMORY_EXIT:
	case XS_NO_MORE_KEYS_EXIT:
		host_crash(EXIT_MEMORY_FULL, "memory full");
	case XS_STACK_OVERFLOW_EXIT:
		host_crash(EXIT_STACK_OVERFLOW, "stack overflow");
	case XS_TOO_MUCH_COMPUTATION_EXIT:
		host_crash(EXIT_TOO_MANY_CYCLES, "too many cycles");
	case XS_UNHANDLED_EXCEPTION_EXIT:
	case XS_UNHANDLED_REJECTION_EXIT:
		host_crash(EXIT_EXCEPTION, text_of(the, &mxException));
	default:
		host_crash(EXIT_ABORT, status == XS_DEAD_STRIP_EXIT ? "dead strip" : "abort");
	}
}
