/* A TCP object of the script, as a Listener makes it. */
#ifndef OTA8266_TCP_H
#define OTA8266_TCP_H

#include "connection.h"
#include "xsmc.h"

/* `slot` is a TCP made without options: it gets the connection. Throws SyntaxError where it is none. */
void tcp_give(xsMachine *the, xsSlot *slot, Connection *connection);

#endif
