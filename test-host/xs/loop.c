/* The event loop: what the SDK's is on the device. Callbacks come between turns only. */
#include <stdlib.h>

#include "host.h"

/* The heartbeat's longest pause, milliseconds. */
#define TURN_MAX 40

typedef struct Message Message;
struct Message {
	void (*deliver)(void *of);
	void *of;
	Message *next;
};

static Message *first;
static Message **last = &first;

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

void loop_run(void)
{
	for (;;) {
		int timeout = first ? 0 : timers_next();
		chip_beat();
		watches_look(timeout > TURN_MAX ? TURN_MAX : timeout);
		deliver_messages();
		timers_run();
	}
}
