/* How the SDK's natives take their options and arguments. */
#ifndef OTA8266_OPTIONS_H
#define OTA8266_OPTIONS_H

#include "xsmc.h"
#include "mc.xs.h"

#include "host.h"

/* The function of that name in the first argument, or NULL where none is given. Throws Error for anything else. */
xsSlot *option_callback(xsMachine *the, xsIdentifier id);
/* The port in the first argument. Throws Error where it is undefined, RangeError where no socket has it. */
int option_port(xsMachine *the);
/* The index in `formats` (NULL ends them) of the format in the first argument, or `usual` where none is given. */
int option_format(xsMachine *the, const char *const *formats, int usual);
/* The index of the format that the first argument is. */
int argument_format(xsMachine *the, const char *const *formats);
/* The first argument's target becomes the instance's. */
void option_target(xsMachine *the);
/* address.c: an IPv4 address in network order. Throws where it is none. */
uint32_t argument_address(xsMachine *the, xsSlot *slot, xsBooleanValue range);

#endif
