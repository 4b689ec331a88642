/* Between the files that read a gzip. */
#ifndef OTA8266_INFLATE_H
#define OTA8266_INFLATE_H

#include "boot.h"

/* input.c */
typedef struct {
	/* Flash offset of what is read next, and of the end; number of the sector that was read last. */
	uint32_t next;
	uint32_t end;
	uint32_t loaded;
	uint32_t bits;
	uint32_t bitCount;
	/* It was read beyond its end, or makes no sense. */
	bool isDamaged;
} Input;

extern Input input;
void openInput(uint32_t start, uint32_t end);
/* A word at a flash offset, on no boundary, through the buffer. */
uint32_t wordAt(uint32_t address);
/* 0 behind the end. */
uint32_t nextByte(void);
uint32_t bits(uint32_t count);

/* inflate.c */
void beginInflate(void);
/* Gives up to `length` bytes; fewer where the stream ends before, or is damaged. */
uint32_t inflateSome(uint8_t *to, uint32_t length);
/* Whether it came to its end as it should. */
bool isStreamEnded(void);

#endif
