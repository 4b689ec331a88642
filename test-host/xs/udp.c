/* embedded:io/socket/udp as the SDK's lwIP port of the ESP8266 behaves. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"

#define DATAGRAM_MAX 65536

static const char *const formats[] = { "buffer", NULL };

typedef struct Packet Packet;
struct Packet {
	Packet *next;
	uint32_t address;
	uint16_t port;
	int length;
	uint8_t bytes[];
};

typedef struct {
	/* First: what the loop gives back. */
	Watch watch;
	xsMachine *the;
	xsSlot object;
	xsSlot *on_readable;
	Packet *packets;
	int packet_count;
	bool triggered;
	bool closed;
} Udp;

static void mark(xsMachine *the, void *data, xsMarkRoot mark_root)
{
	Udp *udp = data;
	if (udp->on_readable)
		mark_root(the, udp->on_readable);
}

void xs_udp_destructor(void *data);

static const xsHostHooks hooks = { xs_udp_destructor, mark, NULL };

static Udp *udp_of(xsMachine *the)
{
	return xsmcGetHostDataValidate(xsThis, (void *)&hooks);
}

static void deliver(void *of)
{
	Udp *udp = of;
	udp->triggered = false;
	if (udp->closed) {
		free(udp);
		return;
	}
	if (!udp->on_readable || udp->packet_count == 0)
		return;
	xsBeginHost(udp->the);
	xsmcSetInteger(xsResult, udp->packet_count);
	xsCallFunction1(xsReference(udp->on_readable), udp->object, xsResult);
	xsEndHost(udp->the);
}

static void on_ready(Watch *watch, short events)
{
	static uint8_t bytes[DATAGRAM_MAX];
	Udp *udp = (Udp *)watch;
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t length = recvfrom(watch->descriptor, bytes, sizeof(bytes), 0, (struct sockaddr *)&peer, &size);
	Packet **last = &udp->packets;
	(void)events;
	if (length < 0)
		return;
	while (*last)
		last = &(*last)->next;
	*last = malloc(sizeof(Packet) + (size_t)length);
	if (!*last)
		host_usage("no memory");
	**last = (Packet){ .address = peer.sin_addr.s_addr, .port = ntohs(peer.sin_port), .length = (int)length };
	memcpy((*last)->bytes, bytes, (size_t)length);
	udp->packet_count++;
	if (udp->triggered)
		return;
	udp->triggered = true;
	loop_post(deliver, udp);
}

static int bound_socket(uint16_t *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t size = sizeof(any);
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -1;
	if (bind(descriptor, (struct sockaddr *)&any, sizeof(any)) || getsockname(descriptor, (struct sockaddr *)&any, &size)) {
		close(descriptor);
		return -1;
	}
	*port = ntohs(any.sin_port);
	return descriptor;
}

void xs_udp_constructor(xsMachine *the)
{
	xsSlot *on_readable = option_callback(the, xsID_onReadable);
	int wanted = 0;
	uint16_t port;
	int descriptor;
	Udp *udp;
	xsmcVars(1);
	if (xsmcHas(xsArg(0), xsID_port)) {
		xsmcGet(xsVar(0), xsArg(0), xsID_port);
		wanted = xsmcToInteger(xsVar(0));
		if (wanted < 0 || wanted > 65535)
			xsRangeError("invalid port");
	}
	option_format(the, formats, 0);
	port = (uint16_t)wanted;
	descriptor = bound_socket(&port);
	if (descriptor < 0)
		xsUnknownError("bind failed");
	udp = calloc(1, sizeof(Udp));
	if (!udp)
		host_usage("no memory");
	udp->watch = (Watch){ .descriptor = descriptor, .events = POLLIN, .ready = on_ready };
	udp->the = the;
	udp->on_readable = on_readable;
	udp->object = xsThis;
	xsmcSetHostData(xsThis, udp);
	xsSetHostHooks(xsThis, &hooks);
	xsRemember(udp->object);
	watch_add(&udp->watch);
	option_target(the);
	event_tell("{\"listening\":{\"protocol\":\"udp\",\"port\":%d}}", port);
}

static Packet *take(Udp *udp)
{
	Packet *packet = udp->packets;
	if (packet) {
		udp->packets = packet->next;
		udp->packet_count--;
	}
	return packet;
}

void xs_udp_destructor(void *data)
{
	Udp *udp = data;
	if (!udp)
		return;
	watch_remove(&udp->watch);
	close(udp->watch.descriptor);
	while (udp->packets)
		free(take(udp));
	udp->closed = true;
	if (!udp->triggered)
		free(udp);
}

void xs_udp_close(xsMachine *the)
{
	Udp *udp = xsmcGetHostData(xsThis);
	if (!udp)
		return;
	udp = udp_of(the);
	xsForget(udp->object);
	xsmcSetHostData(xsThis, NULL);
	xsmcSetHostDestructor(xsThis, NULL);
	xs_udp_destructor(udp);
}

void xs_udp_read(xsMachine *the)
{
	Packet *packet = take(udp_of(the));
	struct in_addr address;
	if (!packet)
		return;
	xsmcSetArrayBuffer(xsResult, packet->bytes, packet->length);
	xsmcVars(1);
	xsmcSetInteger(xsVar(0), packet->port);
	xsmcSet(xsResult, xsID_port, xsVar(0));
	address.s_addr = packet->address;
	xsmcSetString(xsVar(0), inet_ntoa(address));
	xsmcSet(xsResult, xsID_address, xsVar(0));
	free(packet);
}

/* A datagram that the network loses is lost without an error, on the chip too. */
void xs_udp_write(xsMachine *the)
{
	Udp *udp = udp_of(the);
	struct sockaddr_in peer = { .sin_family = AF_INET };
	xsUnsignedValue length;
	void *bytes;
	peer.sin_addr.s_addr = argument_address(the, &xsArg(1), 1);
	peer.sin_port = htons((uint16_t)xsmcToInteger(xsArg(2)));
	xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	sendto(udp->watch.descriptor, bytes, length, 0, (struct sockaddr *)&peer, sizeof(peer));
}

void xs_udp_set_format(xsMachine *the)
{
	argument_format(the, formats);
}
