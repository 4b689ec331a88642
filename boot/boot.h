/*
	The boot loader of ota8266: installs what is staged so that no power cut can hurt. SPEC.md, sections 10 and 11,
	describe its configuration and its record; DESIGN.md, section 13, what it does. One program in two stages: the first
	in flash sector 0, which the mask ROM loads to where eboot runs; the second in two copies elsewhere, which the first
	one loads below it. In instruction RAM words only can be loaded: all data lie in data RAM, those of the first stage.
*/
#ifndef OTA8266_BOOT_H
#define OTA8266_BOOT_H

#include <stdbool.h>
#include <stdint.h>
#include "rom.h"

#define SECTOR 0x1000u
#define BLOCK 0x10000u
#define SECTOR_WORDS (SECTOR / 4)
/* No flash is larger, and no address has more bits. */
#define FLASH_MAX 0x1000000u
/* A firmware's file has the boot loader in its first sector, the application's image behind it. */
#define APPLICATION SECTOR

/* At flash 0x10; in the program its first bytes of data. The packer fills it for a layout. Flash offsets. */
typedef struct {
	uint32_t magic;
	uint32_t version;
	uint32_t flashSize;
	uint32_t record;
	uint32_t applicationEnd;
	uint32_t previous;
	uint32_t previousEnd;
	uint32_t filesystem;
	uint32_t filesystemEnd;
	/* The second stage: two sectors with a copy each, its bytes, and zlib's CRC-32 of them. */
	uint32_t stages;
	uint32_t stageLength;
	uint32_t stageCRC;
} Config;

extern const Config boot_config;

/* What is done, and that it is unharmed. Those below 10 are eboot's numbers. */
enum {
	OK = 0,
	ALIGNMENT = 1,
	WRITE = 4,
	GZIP_HEADER = 5,
	GZIP_DATA = 6,
	PLACE = 10,
	IMAGE = 11,
	ROOM = 12,
	OTHER = 13,
	NO_STAGE = 14,
};

/* Where the sectors of a result are read from. */
typedef enum {
	FROM_SOURCE,
	/* From their place, where the progress says that they are there. */
	FROM_BOTH,
	FROM_DESTINATION,
} From;

/* Something to be brought from one place of the flash to another one, inflated or as it is. */
typedef struct {
	uint32_t source;
	uint32_t destination;
	/* As it lies at the source. */
	uint32_t size;
	/* Of the result. */
	uint32_t length;
	/* Bytes of the result that are not written. */
	uint32_t first;
	/* Flash offset of its progress: a bit a sector, 0 when it is in its place. */
	uint32_t progress;
	/* zlib's CRC-32 of the bytes that are written, where it is known. */
	uint32_t crc;
	bool isCRCKnown;
	bool isGzip;
	/* The result is an application's image from `first` on. */
	bool isImage;
	/* Source and destination have sectors in common. */
	bool overlaps;
} Job;

/* eboot's actions. */
#define ACTION_COPY 1
#define ACTION_LOAD 0xffffffffu

/* What both stages use, in the first. */

/* memory.c */
void feed(void);
uint32_t roundUp(uint32_t length);
/* Whether `length` bytes from `address` on lie in `size` bytes from `start` on. */
bool isInside(uint32_t address, uint32_t length, uint32_t start, uint32_t size);

/* image.c: a firmware's image. */
void beginImage(void);
void readImage(const uint32_t *words, const uint32_t *end);
/* Bytes of the image up to the end of its checksum's line; 0 while it is not complete, or where it is none. */
uint32_t imageLength(void);
/* Reads the image at a flash offset; its length, 0 where there is none before `end`. */
uint32_t verifyImage(uint32_t address, uint32_t end);
bool isLoaded(uint32_t address);

/* crc.c */
/* Before the first CRC: what RAM holds at a start is anything, that of a start before too. */
void makeCRCTable(void);
/* zlib's CRC-32 goes on from `crc`, which begins and ends inverted. */
uint32_t crcOf(uint32_t crc, const uint8_t *bytes, uint32_t length);
/* CRC-32/MPEG-2 of words. */
uint32_t crcOfWords(const volatile uint32_t *words, uint32_t count);

/* sector.c */
/* One sector on its way. */
extern uint32_t sector[SECTOR_WORDS];
/* Brings it to a flash offset, where it is not there: read back, false where that can't be done. */
bool writeSector(uint32_t address, bool isBlock);

/* gzip.c */
bool isGzip(uint32_t source);
/* Reads the header of a gzip of `size` bytes, whose inflated length it gives. OK or GZIP_HEADER. */
int openGzip(uint32_t source, uint32_t size, uint32_t *length);
/* Inflates the next bytes. OK or GZIP_DATA. */
int inflate(uint8_t *to, uint32_t length);
/* Behind the last byte: OK, or GZIP_DATA where more follows, or the trailer does not tell of what came. */
int closeGzip(void);

/* The second stage. */

/* second.c */
/* Carries out what is intended; gives the flash offset of the image to start, 0 where there is none. */
uint32_t second(bool isCommanded);

/* content.c */
/* Is given each sector of a result that is written, in `sector`; false ends it. */
typedef bool (*Visit)(const Job *job, uint32_t offset);
/* OK, GZIP_DATA, or WRITE where the visit ended it. */
int eachSector(const Job *job, From from, Visit visit);
/* Reads the whole result: OK where it is what it should be, and its CRC is then known. */
int checkContent(Job *job, From from);

/* copy.c */
/* Brings the result to its place, and looks at it there: OK or WRITE. */
int copy(Job *job, From from);

/* record.c */
typedef struct {
	uint32_t magic;
	uint32_t version;
	uint32_t sequence;
	uint32_t flags;
	uint32_t source;
	uint32_t destination;
	uint32_t size;
	uint32_t length;
	uint32_t crc;
	uint32_t starts;
	uint32_t reserved[5];
	uint32_t check;
} Header;

#define STARTS_MAX 8

typedef struct {
	Header header;
	Header again;
	uint32_t states[8];
	uint32_t starts[STARTS_MAX];
	/* Of the application before, whether there is a copy of it or not. */
	uint32_t beforeLength;
	uint32_t beforeCRC;
	uint32_t beforeLengthInverted;
	uint32_t beforeCRCInverted;
	uint32_t resultCRC;
	uint32_t resultCRCInverted;
} Record;

enum { TRIAL = 1, ONLY_RESTORE = 2, CRC_UNKNOWN = 4, GZIP = 8 };

typedef enum { REFUSED, BEGUN, KEPT, INSTALLED, CONFIRMED, RESTORE, RESTORED, RESTORING } State;

#define KEEPING_PROGRESS 0x100
#define RESTORING_PROGRESS 0x140
#define INSTALLING_PROGRESS 0x800

/* As it lies in flash; without one its header is 0, and no state is set. */
extern Record record;
void readRecord(void);
/* A new one of `header`, whose magic, version, sequence and CRC it fills in; false where the flash does not hold it. */
bool writeRecord(Header *header);
bool is(State state);
void set(State state);
/* Programs words of `record` to its place in flash. */
void keepWords(const void *words, uint32_t length);
uint32_t startsUsed(void);
void useStart(void);

/* install.c */
/* Takes eboot's command of words in RTC memory: OK, or why nothing was changed, or WRITE. */
int take(const volatile uint32_t *command);
/* Carries out the record, from where it was interrupted; `isRead`: what is staged was just found to be good. OK, or what is wrong. */
int install(bool isRead);
/* Whether the application that was to be installed is in its place, as far as its CRC is known. */
bool isResult(void);

/* restore.c */
/* Notes what runs, so that it is known again. */
void noteBefore(void);
/* Whether that is still there, unharmed. */
bool isBefore(void);
/* Keeps a copy of what was noted, where there is room. */
void keep(void);
/* Brings the kept application back, from where it was interrupted, where there is one. */
void restore(void);
/* The same for an application that cannot be started. */
void wayBack(void);

#endif
