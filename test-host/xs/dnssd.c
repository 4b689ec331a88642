/* What the firmware gives to embedded:network/dnssd, told to the parent, which tells the network. */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "xsmc.h"

#define TEXT_MAX 1024

/* The text records of the advertisement that is being put together, as JSON. */
static char text[TEXT_MAX];

/* (key, value): one text record. */
void xs_dnssd_text(xsMachine *the)
{
	char key[256], value[256];
	size_t at = strlen(text);
	event_quote(key, sizeof(key), xsmcToString(xsArg(0)));
	event_quote(value, sizeof(value), xsmcToString(xsArg(1)));
	snprintf(text + at, sizeof(text) - at, "%s%s:%s", at > 0 ? "," : "", key, value);
}

/* (serviceType, host, name, port), with the text records before it */
void xs_dnssd_advertise(xsMachine *the)
{
	char service[128], host[128], name[128];
	event_quote(service, sizeof(service), xsmcToString(xsArg(0)));
	event_quote(host, sizeof(host), xsmcToString(xsArg(1)));
	event_quote(name, sizeof(name), xsmcToString(xsArg(2)));
	event_tell("{\"advertise\":{\"host\":%s,\"name\":%s,\"serviceType\":%s,\"port\":%d,\"txt\":{%s}}}", host, name,
		service, (int)xsmcToInteger(xsArg(3)), text);
	text[0] = 0;
}
