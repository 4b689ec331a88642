/** What a client may take of the board's time and memory. Ticks are the listener's, about a second each. */

/** For the whole head. */
export const HEAD_TICKS = 5;
/** For 4,096 bytes of a body. */
export const BODY_TICKS = 10;
export const BODY_STEP = 4096;
/** For the next bytes of the answer. */
export const ANSWER_TICKS = 30;
/** For the close. */
export const LINGER_TICKS = 2;
/** Bytes read and dropped at once: all that waits may be 5,840, as one buffer. */
export const DROP_MAX = 512;
/** More bytes than come. An integer: infinity would make others of the counts that meet it, which cost stack as text. */
export const UNBOUNDED = 0x7fffffff;
