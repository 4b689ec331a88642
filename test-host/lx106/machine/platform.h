/* What the XS engine is to know of the lx106: its XSPLATFORM header. */
#ifndef OTA8266_PLATFORM_H
#define OTA8266_PLATFORM_H

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultMachinePlatform 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1

#define mxMachinePlatform void *unused;

/* A load or store at an odd place is a fault. */
#define mxUnalignedAccess 0
#define mxMisalignedSettersCrash 1

static inline uint16_t read16(const void *from)
{
	const uint8_t *bytes = from;
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t read32(const void *from)
{
	const uint8_t *bytes = from;
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

#define c_read16 read16
#define c_read32 read32

#endif
