/* lwIP's side of a TCP connection: what a TCP holds, and hands over when another one adopts it. */
#ifndef OTA8266_CONNECTION_H
#define OTA8266_CONNECTION_H

#include "host.h"

#define SEGMENT 1460
/* The receive window and the send buffer of lwIP on the ESP8266. */
#define WINDOW (4 * SEGMENT)
#define SEND_BUFFER (2 * SEGMENT)

enum { ON_READABLE = 1, ON_WRITABLE = 2, ON_ERROR = 4 };

typedef struct {
	uint16_t length;
	uint8_t bytes[SEGMENT];
} Segment;

typedef struct Connection Connection;
struct Connection {
	/* First: what the loop gives back. */
	Watch watch;
	/* Whoever holds it, told of what happens; NULL once nobody does. */
	void (*tell)(void *holder, int event);
	void *holder;
	/* May be written to. */
	bool ready;
	/* Refused, or reset by the peer. */
	bool lost;
	/* The peer has ended its side. */
	bool finished;
	/* Inside the window. The first segment takes its part of it until all of it is read. */
	Segment *segments[WINDOW];
	int first;
	int segment_count;
	int consumed;
	int available;
	uint8_t unsent[SEND_BUFFER];
	int unsent_length;
	uint32_t address;
	uint16_t port;
};

/* NULL where there is no socket. Address in network order. */
Connection *connection_open(uint32_t address, uint16_t port);
Connection *connection_accepted(int descriptor, uint32_t address, uint16_t port);
void connection_nodelay(Connection *connection, bool nodelay);
/* Bytes that may be written. */
int connection_writable(const Connection *connection);
/* No more than is writable. */
void connection_write(Connection *connection, const uint8_t *bytes, int length);
/* No more than is available. */
void connection_read(Connection *connection, uint8_t *bytes, int length);
/* Resets, dropping what is not sent yet; ends orderly where the peer has ended its side. */
void connection_close(Connection *connection);

#endif
