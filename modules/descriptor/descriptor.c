/*
 * Name and version of the application inside the image (SPEC.md, section 1), and whether it confirms itself: from the
 * manifest's `defines.ota8266`. Nobody calls it: the linker script keeps it, and checks its place.
 */
#include <stdint.h>
#include "mc.defines.h"

#if defined(MODDEF_OTA8266_NAME) && defined(MODDEF_OTA8266_VERSION)

#define CONFIRMS 1
#ifndef MODDEF_OTA8266_CONFIRMS
#define MODDEF_OTA8266_CONFIRMS 0
#endif

typedef struct {
	char magic[4];
	uint16_t format;
	uint16_t flags;
	char name[24];
	char version[32];
} Descriptor;

_Static_assert(sizeof(Descriptor) == 64, "SPEC.md: 64 bytes");
_Static_assert(sizeof(MODDEF_OTA8266_NAME) <= 24 + 1, "name: at most 24 characters");
_Static_assert(sizeof(MODDEF_OTA8266_VERSION) <= 32 + 1, "version: at most 32 characters");

/* The SDK's linker script begins the irom with this section, in which the core's version, one word, comes first. */
__attribute__((section(".ver_number"), aligned(16)))
const Descriptor ota8266_descriptor = {
	{'O', 'T', 'A', '8'}, 1, (MODDEF_OTA8266_CONFIRMS) ? CONFIRMS : 0, MODDEF_OTA8266_NAME, MODDEF_OTA8266_VERSION,
};

#endif
