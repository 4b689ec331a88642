/* The SDK's module Resource: an object is a view of the flash, and takes no memory for what is in it. */
#include "host.h"
#include "xsmc.h"

void xs_resource_destructor(void *data)
{
	(void)data;
}

static const uint8_t *resource_named(xsMachine *the, uint32_t *size)
{
	if (xsmcArgc == 0)
		xsSyntaxError("no path");
	return application_resource(xsmcToString(xsArg(0)), size);
}

void xs_resource_constructor(xsMachine *the)
{
	uint32_t size;
	const uint8_t *bytes = resource_named(the, &size);
	if (!bytes)
		xsURIError("no resource %s", xsmcToString(xsArg(0)));
	xsmcSetHostBuffer(xsThis, (void *)bytes, (xsIntegerValue)size);
	xsmcPetrifyHostBuffer(xsThis);
}

void xs_resource_exists(xsMachine *the)
{
	uint32_t size;
	xsmcSetBoolean(xsResult, resource_named(the, &size) != NULL);
}

void xs_resource_get_byteLength(xsMachine *the)
{
	xsmcSetInteger(xsResult, xsmcGetHostBufferLength(xsThis));
}

/* (begin, end): an argument that is there counts, undefined as 0. */
void xs_resource_slice(xsMachine *the)
{
	int size = xsmcGetHostBufferLength(xsThis);
	const uint8_t *bytes = xsmcGetHostData(xsThis);
	int begin = xsmcArgc > 0 ? xsmcToInteger(xsArg(0)) : 0;
	int end = size;
	if (begin < 0)
		begin = 0;
	if (xsmcArgc > 1) {
		int wanted = xsmcToInteger(xsArg(1));
		end = wanted < begin ? begin : wanted < size ? wanted : size;
	}
	/* The engine throws RangeError at a length below 0. */
	xsmcSetArrayBuffer(xsResult, (void *)(bytes + begin), end - begin);
}
