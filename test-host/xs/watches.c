/* Descriptors that the event loop looks at. */
#include <poll.h>

#include "host.h"

#define WATCHES_MAX 64

static Watch *watches;

void watch_add(Watch *watch)
{
	watch->next = watches;
	watches = watch;
}

void watch_remove(Watch *watch)
{
	Watch **at = &watches;
	while (*at && *at != watch)
		at = &(*at)->next;
	if (*at)
		*at = watch->next;
}

void watches_look(int timeout)
{
	struct pollfd polled[WATCHES_MAX];
	Watch *of[WATCHES_MAX];
	nfds_t count = 0;
	for (Watch *watch = watches; watch && count < WATCHES_MAX; watch = watch->next) {
		if (watch->events == 0)
			continue;
		of[count] = watch;
		polled[count++] = (struct pollfd){ watch->descriptor, watch->events, 0 };
	}
	if (poll(polled, count, timeout) <= 0)
		return;
	for (nfds_t i = 0; i < count; i++) {
		Watch *watch = watches;
		if (polled[i].revents == 0)
			continue;
		/* An earlier one may have removed it. */
		while (watch && watch != of[i])
			watch = watch->next;
		if (watch)
			watch->ready(watch, polled[i].revents);
	}
}
