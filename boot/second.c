/* The second stage: what is intended is carried out, what is on trial is counted. */
#include "boot.h"

static bool isPending(void)
{
	return record.header.magic && !(record.header.flags & ONLY_RESTORE)
		&& !is(REFUSED) && !is(INSTALLED) && !is(RESTORE);
}

static bool isOnTrial(void)
{
	return (record.header.flags & TRIAL) && !record.header.destination
		&& is(KEPT) && is(INSTALLED) && !is(CONFIRMED) && !is(RESTORE);
}

/* Whether the application's place holds something of one piece, as far as the record knows. */
static bool isTrusted(void)
{
	bool isInstalling = !record.header.destination && !(record.header.flags & ONLY_RESTORE)
		&& is(BEGUN) && !is(INSTALLED);

	return is(RESTORED) || !(isInstalling || is(RESTORING));
}

static bool hasApplication(void)
{
	return isTrusted() && verifyImage(APPLICATION, boot_config.applicationEnd);
}

static void act(uint32_t action)
{
	// Not over what is on trial, nor while there is something to be taken up.
	bool isToldToCopy = (ACTION_COPY == action) && !isOnTrial() && isTrusted();

	if (isPending() || isToldToCopy) {
		ets_printf("cp:");
		ets_printf("%d\n", isPending() ? install() : take(RTC_COMMAND + 2));
	}
}

uint32_t second(bool isCommanded)
{
	uint32_t action = isCommanded ? RTC_COMMAND[1] : ACTION_LOAD;
	uint32_t address = APPLICATION;

	readRecord();
	act(action);
	if (isCommanded && (ACTION_LOAD == action))
		address += RTC_COMMAND[2];
	if (isOnTrial() && (startsUsed() >= record.header.starts))
		set(isOther() ? CONFIRMED : RESTORE);
	if ((is(RESTORE) || (record.header.flags & ONLY_RESTORE)) && !is(RESTORED))
		restore();
	if ((APPLICATION == address) || (address % SECTOR) || !verifyImage(address, boot_config.flashSize)) {
		address = APPLICATION;
		if (!hasApplication()) {
			wayBack();
			if (!hasApplication())
				return 0;
		}
	}
	if (isOnTrial())
		useStart();
	return address;
}
