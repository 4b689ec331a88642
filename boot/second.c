/* The second stage: what is intended is carried out, what is on trial is counted. */
#include "boot.h"

/* Of the application: "OTA8", the format's version in 16 bits, flags in 16 bits. */
#define DESCRIPTOR (APPLICATION + 0x20)
#define DESCRIPTOR_MAGIC 0x3841544fu
#define CONFIRMS 0x00010001u
#define CONFIRMS_MASK 0x0001ffffu

static bool isPending(void)
{
	return record.header.magic && !(record.header.flags & ONLY_RESTORE)
		&& !is(REFUSED) && !is(INSTALLED) && !is(RESTORE);
}

/* A flag of the application's descriptor (SPEC.md, section 1) says so: what cannot is never on trial. */
static bool canConfirm(void)
{
	uint32_t words[2];

	SPIRead(DESCRIPTOR, words, sizeof(words));
	return (DESCRIPTOR_MAGIC == words[0]) && (CONFIRMS == (words[1] & CONFIRMS_MASK));
}

static bool isOnTrial(void)
{
	return (record.header.flags & TRIAL) && !record.header.destination
		&& is(KEPT) && is(INSTALLED) && !is(CONFIRMED) && !is(RESTORE) && canConfirm();
}

/*
	Whether the application's place holds something of one piece, as far as the record knows. A checksum of eight bits would not
	tell it from one that is half written.
*/
static bool isTrusted(void)
{
	bool isInstalling = !record.header.destination && !(record.header.flags & ONLY_RESTORE)
		&& is(BEGUN) && !is(INSTALLED) && !is(REFUSED);

	return is(RESTORED) || !(isInstalling || is(RESTORING)) || isBefore() || isResult();
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
		ets_printf("%d\n", isPending() ? install(false) : take(RTC_COMMAND + 2));
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
		set(isResult() ? RESTORE : CONFIRMED);
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
