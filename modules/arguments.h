#ifndef OTA8266_ARGUMENTS_H
#define OTA8266_ARGUMENTS_H

#include "xsmc.h"
#include "xsHost.h"

/*
	Conversions at the door of the natives. What converts may run script (valueOf), and what allocates may move
	chunks: so arguments are converted first, then instance and buffer are looked up, then nothing else is asked
	of the machine until the work is done.
*/

static inline int isMissing(xsMachine *the, int index)
{
	return (xsmcArgc <= index) || (xsUndefinedType == xsmcTypeOf(xsArg(index)));
}

/* An argument as a whole number from 0 to `limit`. What is no such number is a RangeError, none a SyntaxError. */
static inline uint32_t wholeArgument(xsMachine *the, int index, uint32_t limit)
{
	if (isMissing(the, index))
		xsSyntaxError("no argument %d", index);

	xsNumberValue value = xsmcToNumber(xsArg(index));
	// The comparison is false for NaN, too; only what passes it may be cast.
	if (!((value >= 0) && (value <= limit)) || ((xsNumberValue)(uint32_t)value != value))
		xsRangeError("argument %d is no whole number in range", index);
	return (uint32_t)value;
}

/* The bytes of an ArrayBuffer or of a view of bytes. Anything else, or a detached one, is a TypeError. */
static inline const uint8_t *readableArgument(xsMachine *the, int index, uint32_t *length)
{
	void *bytes = NULL;
	xsUnsignedValue count = 0;

	if (isMissing(the, index))
		xsSyntaxError("no argument %d", index);
	xsmcGetBufferReadable(xsArg(index), &bytes, &count);
	*length = count;
	return bytes;
}

static inline uint8_t *writableArgument(xsMachine *the, int index, uint32_t *length)
{
	void *bytes = NULL;
	xsUnsignedValue count = 0;

	if (isMissing(the, index))
		xsSyntaxError("no argument %d", index);
	xsmcGetBufferWritable(xsArg(index), &bytes, &count);
	*length = count;
	return bytes;
}

#endif
