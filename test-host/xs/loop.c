/* The event loop: what the SDK's is on the device. Callbacks come between turns only. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "host.h"

/* The heartbeat's longest pause, milliseconds. */
#define TURN_MAX 40
#define WATCHES_MAX 64

typedef struct Message Message;
struct Message {
	void (*deliver)(void *of);
	void *of;
	Message *next;
};

static Watch *watches;
static Message *first;
static Message **last = &first;

/* Since the first call, which comes with the start. */
uint32_t modMilliseconds(void)
{
	static struct timespec start;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (start.tv_sec == 0)
		start = now;
	return (uint32_t)((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000);
}

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

void loop_post(void (*deliver)(void *of), void *of)
{
	Message *message = malloc(sizeof(Message));
	if (!message)
		host_usage("no memory");
	*message = (Message){ deliver, of, NULL };
	*last = message;
	last = &message->next;
}

/* Those that wait now; what they post waits for the next turn. */
static void deliver_messages(void)
{
	Message *message = first;
	first = NULL;
	last = &first;
	while (message) {
		Message *next = message->next;
		peaks_turn();
		message->deliver(message->of);
		free(message);
		message = next;
	}
}

static void look(int timeout)
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

void loop_run(void)
{
	for (;;) {
		int timeout = first ? 0 : timers_next();
		chip_beat();
		look(timeout > TURN_MAX ? TURN_MAX : timeout);
		deliver_messages();
		timers_run();
	}
}
