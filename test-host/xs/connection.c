/* lwIP's side of a TCP connection, on a socket of the host. */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ready(Watch *watch, short events);

static void tell(Connection *connection, int event)
{
	if (connection->tell)
		connection->tell(connection->holder, event);
}

/* Room in the window. */
static int room(const Connection *connection)
{
	return WINDOW - connection->available - connection->consumed;
}

static void watch_what_is_wanted(Connection *connection)
{
	short events = 0;
	bool connecting = !connection->ready && !connection->finished;
	if (!connection->lost) {
		if (connecting || connection->unsent_length > 0)
			events |= POLLOUT;
		if (!connecting && !connection->finished && room(connection) > 0)
			events |= POLLIN;
	}
	connection->watch.events = events;
}

static Connection *make(int descriptor, uint32_t address, uint16_t port, bool ready)
{
	Connection *connection = calloc(1, sizeof(Connection));
	if (!connection)
		host_usage("no memory");
	connection->watch.descriptor = descriptor;
	connection->watch.ready = on_ready;
	connection->address = address;
	connection->port = port;
	connection->ready = ready;
	watch_what_is_wanted(connection);
	watch_add(&connection->watch);
	return connection;
}

Connection *connection_open(uint32_t address, uint16_t port)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { address } };
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	Connection *connection;
	if (descriptor < 0)
		return NULL;
	connection = make(descriptor, address, port, false);
	/* What fails at once shows as any other failure: in the loop, as on the device. */
	if (connect(descriptor, (struct sockaddr *)&peer, sizeof(peer)) && errno != EINPROGRESS) {
		shutdown(descriptor, SHUT_RDWR);
	}
	return connection;
}

Connection *connection_accepted(int descriptor, uint32_t address, uint16_t port)
{
	return make(descriptor, address, port, true);
}

void connection_nodelay(Connection *connection, bool nodelay)
{
	int on = nodelay;
	setsockopt(connection->watch.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int connection_writable(const Connection *connection)
{
	return SEND_BUFFER - connection->unsent_length;
}

void connection_write(Connection *connection, const uint8_t *bytes, int length)
{
	memcpy(connection->unsent + connection->unsent_length, bytes, (size_t)length);
	connection->unsent_length += length;
	watch_what_is_wanted(connection);
}

void connection_read(Connection *connection, uint8_t *bytes, int length)
{
	connection->available -= length;
	while (length > 0) {
		Segment *segment = connection->segments[connection->first];
		int part = segment->length - connection->consumed;
		if (part > length)
			part = length;
		memcpy(bytes, segment->bytes + connection->consumed, (size_t)part);
		bytes += part;
		length -= part;
		connection->consumed += part;
		if (connection->consumed < segment->length)
			break;
		free(segment);
		connection->first = (connection->first + 1) % WINDOW;
		connection->segment_count--;
		connection->consumed = 0;
	}
	watch_what_is_wanted(connection);
}

/*
 * The SDK closes, then aborts (tcp_close_safe): the peer gets a reset, and never what was not sent before. A peer
 * that had ended its side, and has all, sees an orderly end: to it the reset comes too late.
 */
void connection_close(Connection *connection)
{
	if (connection->available > 0 || connection->unsent_length > 0 || !connection->finished) {
		struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(connection->watch.descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	watch_remove(&connection->watch);
	close(connection->watch.descriptor);
	while (connection->segment_count-- > 0) {
		free(connection->segments[connection->first]);
		connection->first = (connection->first + 1) % WINDOW;
	}
	free(connection);
}

static void lose(Connection *connection)
{
	connection->lost = true;
	connection->unsent_length = 0;
	watch_what_is_wanted(connection);
	tell(connection, ON_ERROR);
}

static void send_more(Connection *connection)
{
	ssize_t sent = send(connection->watch.descriptor, connection->unsent, (size_t)connection->unsent_length, MSG_NOSIGNAL);
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR)
			lose(connection);
		return;
	}
	connection->unsent_length -= (int)sent;
	memmove(connection->unsent, connection->unsent + sent, (size_t)connection->unsent_length);
	watch_what_is_wanted(connection);
	if (!connection->finished)
		tell(connection, ON_WRITABLE);
}

static void receive(Connection *connection)
{
	int before = connection->available;
	while (room(connection) > 0) {
		int wanted = room(connection) < SEGMENT ? room(connection) : SEGMENT;
		Segment *segment = malloc(sizeof(Segment));
		ssize_t got;
		if (!segment)
			host_usage("no memory");
		got = recv(connection->watch.descriptor, segment->bytes, (size_t)wanted, 0);
		if (got > 0) {
			segment->length = (uint16_t)got;
			connection->segments[(connection->first + connection->segment_count++) % WINDOW] = segment;
			connection->available += (int)got;
			continue;
		}
		free(segment);
		if (got == 0)
			connection->finished = true;
		else if (errno != EAGAIN && errno != EINTR) {
			if (connection->available > before)
				tell(connection, ON_READABLE);
			lose(connection);
			return;
		}
		break;
	}
	watch_what_is_wanted(connection);
	if (connection->available > before)
		tell(connection, ON_READABLE);
	if (connection->finished)
		tell(connection, ON_ERROR);
}

static void connected(Connection *connection)
{
	int error = 0;
	socklen_t size = sizeof(error);
	getsockopt(connection->watch.descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error) {
		struct sockaddr_in peer;
		size = sizeof(peer);
		if (getpeername(connection->watch.descriptor, (struct sockaddr *)&peer, &size))
			error = errno;
	}
	if (error) {
		lose(connection);
		return;
	}
	connection->ready = true;
	watch_what_is_wanted(connection);
	tell(connection, ON_WRITABLE);
}

static void on_ready(Watch *watch, short events)
{
	Connection *connection = (Connection *)watch;
	if (!connection->ready && !connection->finished) {
		connected(connection);
		return;
	}
	if ((watch->events & POLLIN) && (events & (POLLIN | POLLHUP | POLLERR)))
		receive(connection);
	else if (events & (POLLOUT | POLLHUP | POLLERR))
		send_more(connection);
}
