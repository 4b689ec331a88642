/* What the XS engine is to know of the platform: its XSPLATFORM header. */
#ifndef OTA8266_PLATFORM_H
#define OTA8266_PLATFORM_H

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define mxUseGCCAtomics 1
#define mxUsePOSIXThreads 1
/* memory.c, application.c and exit.c have the rest, as the device has it. */
#define mxUseDefaultBuildKeys 1
#define mxUseDefaultMachinePlatform 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1

#define mxMachinePlatform \
	void *waiterCondition; \
	void *waiterData; \
	void *waiterLink;

#endif
