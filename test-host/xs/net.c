/* The SDK's module net, of a chip that has this machine's network and no Wi-Fi. */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "xsmc.h"

#define LOCAL "127.0.0.1"
/* What the chip says where it has no Wi-Fi. */
#define NO_SIGNAL 31

void xs_net_get(xsMachine *the)
{
	char mac[3 * sizeof(chip.mac)];
	const char *property;
	bool elsewhere;
	if (xsmcArgc == 0)
		xsSyntaxError("no property");
	elsewhere = xsmcArgc > 1 && !strcmp(xsmcToString(xsArg(1)), "ap");
	property = xsmcToString(xsArg(0));
	if (!strcmp(property, "IP")) {
		if (!elsewhere)
			xsmcSetString(xsResult, LOCAL);
	}
	else if (!strcmp(property, "MAC")) {
		const uint8_t *byte = chip.mac;
		snprintf(mac, sizeof(mac), "%02X:%02X:%02X:%02X:%02X:%02X", byte[0], byte[1], byte[2], byte[3], byte[4], byte[5]);
		if (!elsewhere)
			xsmcSetString(xsResult, mac);
	}
	else if (!strcmp(property, "DNS")) {
		xsmcVars(1);
		xsmcSetNewArray(xsResult, 0);
		xsmcSetString(xsVar(0), LOCAL);
		xsmcSetIndex(xsResult, 0, xsVar(0));
	}
	else if (!strcmp(property, "RSSI"))
		xsmcSetInteger(xsResult, NO_SIGNAL);
}
