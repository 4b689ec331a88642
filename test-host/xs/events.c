/* What the host tells its parent: UART to stdout, events as lines of JSON to descriptor 3. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "host.h"

#define EVENTS 3
#define EVENT_MAX 2048

static bool listened;

void events_begin(void)
{
	listened = fcntl(EVENTS, F_GETFD) >= 0;
}

static void write_all(int descriptor, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, text, length);
		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
}

void event_tell(const char *format, ...)
{
	char line[EVENT_MAX];
	va_list arguments;
	int length;
	if (!listened)
		return;
	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= (int)sizeof(line) - 1)
		return;
	line[length] = '\n';
	write_all(EVENTS, line, (size_t)length + 1);
}

const char *event_quote(char *quoted, size_t size, const char *text)
{
	size_t at = 0;
	quoted[at++] = '"';
	/* The longest escape and the closing quote must fit. */
	for (; *text && at + 8 < size; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 32)
			at += (size_t)snprintf(quoted + at, size - at, "\\u%04x", c);
		else {
			if (c == '"' || c == '\\')
				quoted[at++] = '\\';
			quoted[at++] = (char)c;
		}
	}
	quoted[at++] = '"';
	quoted[at] = 0;
	return quoted;
}

void uart_write(const char *text, size_t length)
{
	write_all(STDOUT_FILENO, text, length);
}
