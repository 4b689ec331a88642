/* The SDK's module timer: timers fire between turns of the event loop, each at most once in a turn. */
#include <stdlib.h>

#include "host.h"
#include "xsmc.h"

/* The engine has them, its header does not. */
extern void *fxGetHostDataIf(xsMachine *the, xsSlot *slot);

#define HOUR 3600000

typedef struct Timer Timer;
struct Timer {
	Timer *next;
	xsMachine *the;
	xsSlot object;
	xsSlot *callback;
	uint32_t due;
	/* 0 where it fires once. */
	int repeat;
	bool waiting;
	/* Due in this turn. */
	bool firing;
	bool running;
	bool cleared;
};

static Timer *timers;

static void mark(xsMachine *the, void *data, xsMarkRoot mark_root)
{
	Timer *timer = data;
	if (timer->callback)
		mark_root(the, timer->callback);
}

static void forget(void *data);

static const xsHostHooks hooks = { forget, mark, NULL };

static void release(Timer *timer)
{
	Timer **at = &timers;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	free(timer);
}

/* Its object is no timer any more; a callback under way still needs the record. */
static void forget(void *data)
{
	Timer *timer = data;
	if (!timer)
		return;
	timer->cleared = true;
	timer->waiting = timer->firing = false;
	if (!timer->running)
		release(timer);
}

static void clear(xsMachine *the, Timer *timer)
{
	xsForget(timer->object);
	xsmcSetHostData(timer->object, NULL);
	xsmcSetHostDestructor(timer->object, NULL);
	forget(timer);
}

static void fire(Timer *timer)
{
	timer->firing = false;
	timer->running = true;
	timer->due += (uint32_t)timer->repeat;
	xsBeginHost(timer->the);
	xsCallFunction1(xsReference(timer->callback), xsGlobal, timer->object);
	/* A timer without a repeat is gone when its callback returns, even if the callback has scheduled it again. */
	if (!timer->cleared && timer->repeat == 0)
		clear(the, timer);
	xsEndHost(timer->the);
	timer->running = false;
	if (timer->cleared)
		release(timer);
}

void timers_run(void)
{
	uint32_t now = modMilliseconds();
	Timer *timer;
	for (timer = timers; timer; timer = timer->next)
		if (timer->waiting && (int32_t)(timer->due - now) <= 0)
			timer->firing = true;
	/* In their order, from the beginning again each time: a callback may have cleared any. */
	for (timer = timers; timer;) {
		if (!timer->firing) {
			timer = timer->next;
			continue;
		}
		peaks_turn();
		fire(timer);
		timer = timers;
	}
}

int timers_next(void)
{
	uint32_t now = modMilliseconds();
	int32_t next = HOUR;
	for (Timer *timer = timers; timer; timer = timer->next) {
		int32_t left = (int32_t)(timer->due - now);
		if (timer->waiting && left < next)
			next = left > 0 ? left : 0;
	}
	return next;
}

/* Whether host data of an object is one of ours. */
static bool is_timer(const Timer *data)
{
	const Timer *timer = timers;
	while (timer && timer != data)
		timer = timer->next;
	return timer != NULL;
}

static void make(xsMachine *the, int delay, int repeat)
{
	Timer *timer;
	Timer **last = &timers;
	if (!xsmcIsCallable(xsArg(0)))
		xsTypeError("no callback");
	timer = calloc(1, sizeof(Timer));
	if (!timer)
		host_usage("no memory");
	timer->the = the;
	timer->callback = fxToReference(the, &xsArg(0));
	timer->due = modMilliseconds() + (uint32_t)delay;
	timer->repeat = repeat;
	timer->waiting = true;
	xsResult = xsNewHostObject(NULL);
	timer->object = xsResult;
	xsmcSetHostData(xsResult, timer);
	xsSetHostHooks(xsResult, &hooks);
	xsRemember(timer->object);
	while (*last)
		last = &(*last)->next;
	*last = timer;
}

void xs_timer_set(xsMachine *the)
{
	int delay = xsmcArgc > 1 ? xsmcToInteger(xsArg(1)) : 0;
	int repeat = xsmcArgc > 2 ? xsmcToInteger(xsArg(2)) : 0;
	make(the, delay, repeat);
}

void xs_timer_repeat(xsMachine *the)
{
	int interval = xsmcToInteger(xsArg(1));
	make(the, interval, interval);
}

/* Without a delay the timer rests until it is scheduled again. */
void xs_timer_schedule(xsMachine *the)
{
	Timer *timer = xsmcGetHostDataValidate(xsArg(0), (void *)&hooks);
	if (xsmcArgc < 2 || xsmcTypeOf(xsArg(1)) == xsUndefinedType) {
		timer->waiting = timer->firing = false;
		timer->repeat = -1;
		return;
	}
	timer->due = modMilliseconds() + (uint32_t)xsmcToInteger(xsArg(1));
	timer->repeat = xsmcArgc > 2 ? xsmcToInteger(xsArg(2)) : 0;
	timer->waiting = true;
}

void xs_timer_clear(xsMachine *the)
{
	Timer *timer;
	if (xsmcArgc == 0 || xsmcTypeOf(xsArg(0)) != xsReferenceType)
		return;
	timer = fxGetHostDataIf(the, &xsArg(0));
	if (timer && is_timer(timer))
		clear(the, timer);
}
