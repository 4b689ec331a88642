/* IPv4 addresses as arguments. */
#include "options.h"

#include <arpa/inet.h>

uint32_t argument_address(xsMachine *the, xsSlot *slot, xsBooleanValue range)
{
	struct in_addr address;
	if (!inet_aton(fxToString(the, slot), &address)) {
		if (range)
			xsRangeError("invalid IP address");
		xsUnknownError("invalid address");
	}
	return address.s_addr;
}
