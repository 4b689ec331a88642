/* Looks names up in a thread, since the machine's resolver may take its time and the watchdog wants its food. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "xsmc.h"

typedef struct {
	/* First: what the loop gives back. Its descriptor is where the thread's answer comes out. */
	Watch watch;
	xsMachine *the;
	xsSlot answer;
	/* INADDR_ANY where there is none. */
	struct in_addr address;
} Lookup;

/* What the thread has for itself. */
typedef struct {
	int answer;
	char host[];
} Question;

static void *ask(void *of)
{
	Question *question = of;
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct in_addr address = { INADDR_ANY };
	if (!getaddrinfo(question->host, NULL, &hints, &found)) {
		address = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
		freeaddrinfo(found);
	}
	/* Where this fails the pipe ends without an answer, which is one too. */
	if (write(question->answer, &address, sizeof(address)) < 0)
		address.s_addr = INADDR_ANY;
	close(question->answer);
	free(question);
	return NULL;
}

static void deliver(void *of)
{
	Lookup *lookup = of;
	xsBeginHost(lookup->the);
	if (lookup->address.s_addr != INADDR_ANY)
		xsmcSetString(xsResult, inet_ntoa(lookup->address));
	xsCallFunction1(lookup->answer, xsGlobal, xsResult);
	xsForget(lookup->answer);
	xsEndHost(lookup->the);
	free(lookup);
}

static void on_answer(Watch *watch, short events)
{
	Lookup *lookup = (Lookup *)watch;
	(void)events;
	if (read(watch->descriptor, &lookup->address, sizeof(lookup->address)) != sizeof(lookup->address))
		lookup->address.s_addr = INADDR_ANY;
	watch_remove(watch);
	close(watch->descriptor);
	loop_post(deliver, lookup);
}

/* (host, answer): answer gets the address, or undefined. */
void xs_resolver_lookup(xsMachine *the)
{
	const char *host = xsmcToString(xsArg(0));
	Question *question = malloc(sizeof(Question) + strlen(host) + 1);
	Lookup *lookup = calloc(1, sizeof(Lookup));
	int ends[2];
	pthread_t thread;
	if (!question || !lookup || pipe2(ends, O_CLOEXEC))
		host_usage("no memory");
	strcpy(question->host, host);
	question->answer = ends[1];
	lookup->watch = (Watch){ .descriptor = ends[0], .events = POLLIN, .ready = on_answer };
	lookup->the = the;
	lookup->answer = xsArg(1);
	xsRemember(lookup->answer);
	watch_add(&lookup->watch);
	if (pthread_create(&thread, NULL, ask, question))
		host_usage("no thread");
	pthread_detach(thread);
}
