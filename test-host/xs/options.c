/* How the SDK's natives take their options and arguments. */
#include "options.h"

#include <string.h>

xsSlot *option_callback(xsMachine *the, xsIdentifier id)
{
	xsSlot slot;
	xsType type;
	xsmcGet(slot, xsArg(0), id);
	type = fxTypeOf(the, &slot);
	if (type == xsUndefinedType || type == xsNullType)
		return NULL;
	if (!xsmcIsCallable(slot))
		xsUnknownError("not a function");
	return fxToReference(the, &slot);
}

int option_port(xsMachine *the)
{
	xsSlot slot;
	int port;
	xsmcGet(slot, xsArg(0), xsID_port);
	if (fxTypeOf(the, &slot) == xsUndefinedType)
		xsUnknownError("invalid");
	port = xsmcToInteger(slot);
	if (port < 0 || port > 65535)
		xsRangeError("invalid port");
	return port;
}

static int known_format(xsMachine *the, xsSlot *slot, const char *const *formats)
{
	const char *name = fxToString(the, slot);
	for (int i = 0; formats[i]; i++)
		if (!strcmp(formats[i], name))
			return i;
	xsRangeError("unknown format");
	return 0;
}

int option_format(xsMachine *the, const char *const *formats, int usual)
{
	if (!xsmcHas(xsArg(0), xsID_format))
		return usual;
	xsmcGet(xsVar(0), xsArg(0), xsID_format);
	return xsmcTest(xsVar(0)) ? known_format(the, &xsVar(0), formats) : usual;
}

int argument_format(xsMachine *the, const char *const *formats)
{
	return known_format(the, &xsArg(0), formats);
}

void option_target(xsMachine *the)
{
	if (!xsmcHas(xsArg(0), xsID_target))
		return;
	xsmcGet(xsVar(0), xsArg(0), xsID_target);
	xsmcSet(xsThis, xsID_target, xsVar(0));
}
