/* embedded:io/socket/tcp as the SDK's lwIP port of the ESP8266 behaves. */
#include "tcp.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char *const formats[] = { "number", "buffer", NULL };
enum { NUMBER, BUFFER };

typedef struct {
	xsMachine *the;
	xsSlot object;
	Connection *connection;
	xsSlot *on_readable;
	xsSlot *on_writable;
	xsSlot *on_error;
	/* What happened since the last delivery, and what somebody wants to know of. */
	int triggered;
	int triggerable;
	int format;
	/* The end has been delivered: no writing any more. */
	bool failed;
	bool delivering;
	bool closed;
} Tcp;

static void mark(xsMachine *the, void *data, xsMarkRoot mark_root);
void xs_tcp_destructor(void *data);

static const xsHostHooks hooks = { xs_tcp_destructor, mark, NULL };

static Tcp *tcp_of(xsMachine *the, xsSlot *slot)
{
	return fxGetHostDataValidate(the, slot, (void *)&hooks);
}

static void mark(xsMachine *the, void *data, xsMarkRoot mark_root)
{
	Tcp *tcp = data;
	if (tcp->on_readable)
		mark_root(the, tcp->on_readable);
	if (tcp->on_writable)
		mark_root(the, tcp->on_writable);
	if (tcp->on_error)
		mark_root(the, tcp->on_error);
}

/* The port's order: the end takes the readiness away before what is left to read is offered. */
static void deliver(void *of)
{
	Tcp *tcp = of;
	int triggered = tcp->triggered;
	tcp->triggered = 0;
	tcp->delivering = false;
	if (tcp->closed || !tcp->connection) {
		if (tcp->closed)
			free(tcp);
		return;
	}
	/* A callback may close it: it stays until the end of this. */
	tcp->delivering = true;
	if (triggered & ON_ERROR) {
		tcp->failed = true;
		tcp->connection->ready = false;
		tcp->connection->finished = true;
	}
	if ((triggered & ON_READABLE) && tcp->on_readable && tcp->connection->available > 0) {
		xsBeginHost(tcp->the);
		xsmcSetInteger(xsResult, tcp->connection->available);
		xsCallFunction1(xsReference(tcp->on_readable), tcp->object, xsResult);
		xsEndHost(tcp->the);
	}
	if (!tcp->closed && tcp->connection) {
		if (tcp->failed) {
			if (tcp->connection->available == 0 && tcp->on_error) {
				xsBeginHost(tcp->the);
				xsCallFunction0(xsReference(tcp->on_error), tcp->object);
				xsEndHost(tcp->the);
			}
		}
		else if ((triggered & ON_WRITABLE) && tcp->on_writable) {
			xsBeginHost(tcp->the);
			xsmcSetInteger(xsResult, connection_writable(tcp->connection));
			xsCallFunction1(xsReference(tcp->on_writable), tcp->object, xsResult);
			xsEndHost(tcp->the);
		}
	}
	tcp->delivering = false;
	if (tcp->closed)
		free(tcp);
	else if (tcp->triggered) {
		tcp->delivering = true;
		loop_post(deliver, tcp);
	}
}

/* All that happens until the event loop turns is delivered at once. */
static void trigger(void *holder, int event)
{
	Tcp *tcp = holder;
	tcp->triggered |= event;
	if (tcp->delivering)
		return;
	tcp->delivering = true;
	loop_post(deliver, tcp);
}

static void hold(Tcp *tcp, Connection *connection)
{
	tcp->connection = connection;
	connection->tell = trigger;
	connection->holder = tcp;
}

/* Ends the record, now or when the delivery under way has ended. */
static void end(Tcp *tcp)
{
	if (tcp->connection)
		connection_close(tcp->connection);
	tcp->connection = NULL;
	tcp->closed = true;
	if (!tcp->delivering)
		free(tcp);
}

static void close_tcp(xsMachine *the, xsSlot *slot)
{
	Tcp *tcp = fxGetHostData(the, slot);
	if (!tcp)
		return;
	tcp = tcp_of(the, slot);
	fxSetHostData(the, slot, NULL);
	fxSetHostDestructor(the, slot, NULL);
	xsForget(tcp->object);
	end(tcp);
}

void xs_tcp_destructor(void *data)
{
	if (data)
		end(data);
}

static Tcp *make(xsMachine *the)
{
	Tcp *tcp = calloc(1, sizeof(Tcp));
	if (!tcp)
		host_usage("no memory");
	tcp->the = the;
	tcp->format = BUFFER;
	tcp->object = xsThis;
	xsmcSetHostData(xsThis, tcp);
	xsSetHostHooks(xsThis, &hooks);
	xsRemember(tcp->object);
	return tcp;
}

static Connection *adopt(xsMachine *the, int *triggered)
{
	Connection *connection;
	Tcp *from;
	xsmcGet(xsVar(0), xsArg(0), xsID_from);
	from = tcp_of(the, &xsVar(0));
	connection = from->connection;
	if (!connection || connection->lost)
		xsUnknownError("invalid from");
	*triggered = from->triggered | ON_WRITABLE | ON_READABLE;
	from->connection = NULL;
	connection->tell = NULL;
	close_tcp(the, &xsVar(0));
	return connection;
}

void xs_tcp_constructor(xsMachine *the)
{
	xsSlot *on_readable, *on_writable, *on_error;
	Connection *connection;
	int format, triggered = 0;
	bool has_nodelay, nodelay = false;
	Tcp *tcp;
	if (xsmcArgc == 0) {
		make(the);
		return;
	}
	xsmcVars(1);
	format = option_format(the, formats, BUFFER);
	on_readable = option_callback(the, xsID_onReadable);
	on_writable = option_callback(the, xsID_onWritable);
	on_error = option_callback(the, xsID_onError);
	has_nodelay = xsmcHas(xsArg(0), xsID_nodelay);
	if (has_nodelay) {
		xsmcGet(xsVar(0), xsArg(0), xsID_nodelay);
		nodelay = xsmcToBoolean(xsVar(0));
	}
	if (xsmcHas(xsArg(0), xsID_from))
		connection = adopt(the, &triggered);
	else {
		uint32_t address;
		xsmcGet(xsVar(0), xsArg(0), xsID_address);
		address = argument_address(the, &xsVar(0), 0);
		connection = connection_open(address, (uint16_t)option_port(the));
		if (!connection)
			xsRangeError("no socket");
	}
	if (has_nodelay)
		connection_nodelay(connection, nodelay);
	tcp = make(the);
	tcp->format = format;
	tcp->on_readable = on_readable;
	tcp->on_writable = on_writable;
	tcp->on_error = on_error;
	hold(tcp, connection);
	option_target(the);
	if (triggered)
		trigger(tcp, triggered);
}

void tcp_give(xsMachine *the, xsSlot *slot, Connection *connection)
{
	Tcp *tcp = tcp_of(the, slot);
	hold(tcp, connection);
}

void xs_tcp_close(xsMachine *the)
{
	close_tcp(the, &xsThis);
}

void xs_tcp_read(xsMachine *the)
{
	Tcp *tcp = tcp_of(the, &xsThis);
	Connection *connection = tcp->connection;
	uint8_t value = 0;
	uint8_t *bytes = &value;
	int length = 1;
	if (!connection || connection->available == 0)
		return;
	if (tcp->format == BUFFER) {
		bool into = false;
		if (xsmcArgc == 0)
			length = connection->available;
		else if (xsmcTypeOf(xsArg(0)) == xsReferenceType) {
			xsUnsignedValue size;
			void *data;
			xsmcGetBufferWritable(xsArg(0), &data, &size);
			bytes = data;
			length = (int)size;
			into = true;
		}
		else
			length = xsmcToInteger(xsArg(0));
		if (length <= 0 || length > connection->available)
			xsUnknownError("invalid");
		if (into)
			xsmcSetInteger(xsResult, length);
		else
			bytes = xsmcSetArrayBuffer(xsResult, NULL, length);
	}
	connection_read(connection, bytes, length);
	if (tcp->format == NUMBER)
		xsmcSetInteger(xsResult, value);
	if (tcp->failed && connection->available == 0)
		trigger(tcp, ON_ERROR);
}

void xs_tcp_write(xsMachine *the)
{
	Tcp *tcp = tcp_of(the, &xsThis);
	Connection *connection = tcp->connection;
	uint8_t value;
	void *bytes = &value;
	xsUnsignedValue length = 1;
	if (!connection || !connection->ready || tcp->failed)
		xsUnknownError("not ready");
	if (connection->lost)
		return;
	if (tcp->format == BUFFER)
		xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	else {
		if (xsmcTypeOf(xsArg(0)) == xsReferenceType)
			xsTypeError("wrong format");
		value = (uint8_t)xsmcToInteger(xsArg(0));
	}
	if (length > (xsUnsignedValue)connection_writable(connection))
		xsUnknownError("would block");
	connection_write(connection, bytes, (int)length);
	xsmcSetInteger(xsResult, connection_writable(connection));
}

void xs_tcp_get_remoteAddress(xsMachine *the)
{
	Tcp *tcp = tcp_of(the, &xsThis);
	struct in_addr address;
	if (!tcp->connection || !tcp->connection->ready)
		return;
	address.s_addr = tcp->connection->address;
	xsmcSetString(xsResult, inet_ntoa(address));
}

void xs_tcp_get_remotePort(xsMachine *the)
{
	Tcp *tcp = tcp_of(the, &xsThis);
	if (tcp->connection && tcp->connection->ready)
		xsmcSetInteger(xsResult, tcp->connection->port);
}

void xs_tcp_get_format(xsMachine *the)
{
	Tcp *tcp = tcp_of(the, &xsThis);
	xsmcSetString(xsResult, (char *)formats[tcp->format]);
}

void xs_tcp_set_format(xsMachine *the)
{
	Tcp *tcp = tcp_of(the, &xsThis);
	tcp->format = argument_format(the, formats);
}
