/* embedded:io/socket/listener as the SDK's lwIP port of the ESP8266 behaves. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "tcp.h"

#define PENDING_MAX 8

static const char *const formats[] = { "socket/tcp", NULL };

typedef struct {
	int descriptor;
	uint32_t address;
	uint16_t port;
} Pending;

typedef struct {
	/* First: what the loop gives back. */
	Watch watch;
	xsMachine *the;
	xsSlot object;
	xsSlot *on_readable;
	uint16_t port;
	Pending pending[PENDING_MAX];
	int pending_count;
	bool triggered;
	bool closed;
} Listener;

static void mark(xsMachine *the, void *data, xsMarkRoot mark_root)
{
	Listener *listener = data;
	if (listener->on_readable)
		mark_root(the, listener->on_readable);
}

void xs_listener_destructor(void *data);

static const xsHostHooks hooks = { xs_listener_destructor, mark, NULL };

static Listener *listener_of(xsMachine *the)
{
	return xsmcGetHostDataValidate(xsThis, (void *)&hooks);
}

static Connection *accepted(Pending pending)
{
	return connection_accepted(pending.descriptor, pending.address, pending.port);
}

static void deliver(void *of)
{
	Listener *listener = of;
	listener->triggered = false;
	if (listener->closed) {
		free(listener);
		return;
	}
	if (!listener->on_readable || listener->pending_count == 0)
		return;
	xsBeginHost(listener->the);
	xsmcSetInteger(xsResult, listener->pending_count);
	xsCallFunction1(xsReference(listener->on_readable), listener->object, xsResult);
	xsEndHost(listener->the);
}

static void on_ready(Watch *watch, short events)
{
	Listener *listener = (Listener *)watch;
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	int descriptor = accept4(watch->descriptor, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	(void)events;
	if (descriptor < 0)
		return;
	listener->pending[listener->pending_count++] = (Pending){ descriptor, peer.sin_addr.s_addr, ntohs(peer.sin_port) };
	if (listener->pending_count == PENDING_MAX)
		watch->events = 0;
	if (listener->triggered)
		return;
	listener->triggered = true;
	loop_post(deliver, listener);
}

static int bound_socket(uint16_t *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t size = sizeof(any);
	int on = 1;
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -1;
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(descriptor, (struct sockaddr *)&any, sizeof(any)) || listen(descriptor, PENDING_MAX)
		|| getsockname(descriptor, (struct sockaddr *)&any, &size)) {
		close(descriptor);
		return -1;
	}
	*port = ntohs(any.sin_port);
	return descriptor;
}

void xs_listener_constructor(xsMachine *the)
{
	uint16_t port;
	xsSlot *on_readable;
	Listener *listener;
	int descriptor;
	xsmcVars(1);
	port = xsmcHas(xsArg(0), xsID_port) ? (uint16_t)option_port(the) : 0;
	on_readable = option_callback(the, xsID_onReadable);
	option_format(the, formats, 0);
	descriptor = bound_socket(&port);
	if (descriptor < 0)
		xsUnknownError("socket bind");
	listener = calloc(1, sizeof(Listener));
	if (!listener)
		host_usage("no memory");
	listener->watch = (Watch){ .descriptor = descriptor, .events = POLLIN, .ready = on_ready };
	listener->the = the;
	listener->on_readable = on_readable;
	listener->port = port;
	listener->object = xsThis;
	xsmcSetHostData(xsThis, listener);
	xsSetHostHooks(xsThis, &hooks);
	xsRemember(listener->object);
	watch_add(&listener->watch);
	option_target(the);
	event_tell("{\"listening\":{\"protocol\":\"tcp\",\"port\":%d}}", port);
}

void xs_listener_destructor(void *data)
{
	Listener *listener = data;
	if (!listener)
		return;
	watch_remove(&listener->watch);
	close(listener->watch.descriptor);
	while (listener->pending_count > 0)
		connection_close(accepted(listener->pending[--listener->pending_count]));
	listener->closed = true;
	if (!listener->triggered)
		free(listener);
}

void xs_listener_close(xsMachine *the)
{
	Listener *listener = xsmcGetHostData(xsThis);
	if (!listener)
		return;
	listener = listener_of(the);
	xsForget(listener->object);
	xsmcSetHostData(xsThis, NULL);
	xsmcSetHostDestructor(xsThis, NULL);
	xs_listener_destructor(listener);
}

/* The argument, a TCP without options, gets the connection. */
void xs_listener_read(xsMachine *the)
{
	Listener *listener = listener_of(the);
	Pending next;
	if (listener->pending_count == 0)
		return;
	next = listener->pending[0];
	listener->pending_count--;
	for (int i = 0; i < listener->pending_count; i++)
		listener->pending[i] = listener->pending[i + 1];
	listener->watch.events = POLLIN;
	tcp_give(the, &xsArg(0), accepted(next));
	xsResult = xsArg(0);
}

void xs_listener_get_port(xsMachine *the)
{
	xsmcSetInteger(xsResult, listener_of(the)->port);
}

void xs_listener_set_format(xsMachine *the)
{
	argument_format(the, formats);
}
