/**
 * Every error of an update: its number, its text, what to do next.
 *
 * 0 to 16 are the ESP8266 Arduino core's Updater errors, number and text, because uploaders and users know them;
 * below 0 are those of its HTTP client and its ESP8266HTTPUpdate. Ours begin at 101; a number never changes its
 * meaning.
 */
export const ErrorCode = Object.freeze({
	VERSION_UNKNOWN: -109,
	UNAUTHORIZED: -108,
	WRONG_FLASH: -107,
	VERIFY_HEADER: -106,
	WRONG_MD5: -105,
	HTTP_STATUS: -104,
	FORBIDDEN: -103,
	NOT_FOUND: -102,
	NO_SIZE: -101,
	NO_SPACE: -100,
	HTTP_TIMEOUT: -11,
	HTTP_ENCODING: -9,
	NO_HTTP_SERVER: -7,
	HTTP_LOST: -5,
	HTTP_CONNECT: -1,
	OK: 0,
	WRITE: 1,
	ERASE: 2,
	READ: 3,
	SPACE: 4,
	SIZE: 5,
	STREAM: 6,
	MD5: 7,
	FLASH_CONFIG: 8,
	NEW_FLASH_CONFIG: 9,
	MAGIC_BYTE: 10,
	BOOTSTRAP: 11,
	SIGN: 12,
	NO_DATA: 13,
	OOM: 14,
	RUNNING_ALREADY: 15,
	UNKNOWN_COMMAND: 16,
	INCOMPLETE: 101,
	IMAGE: 102,
	CLOSED: 103,
	CONNECTION_LOST: 104,
	CONNECT: 105,
	BAD_MD5: 106,
	PASSWORD: 107,
	FORM: 108,
	ABANDONED: 109,
	REDIRECT: 110,
	WRONG_RANGE: 111,
	NOT_NOW: 112,
	BAD_URL: 113,
	NO_ANSWER: 120,
	PASSWORD_NEEDED: 121,
	AUTHENTICATION: 122,
	DEVICE: 123,
	NO_RESULT: 124,
	BAD_ANSWER: 125,
	CONNECT_BACK: 126,
	FILE: 127,
	STOPPED: 128,
	HOST: 129,
	LISTEN: 130,
	DAMAGED: 131,
	WEB_AUTHENTICATION: 132,
	BUSY: 133,
	NO_WEB_UPDATE: 134,
	REDIRECTED: 135,
	CERTIFICATE: 136,
	NOT_IN_EFFECT: 137,
	NOT_BACK: 138,
	KEY: 140,
	KEY_EXISTS: 141,
	SIGNED_ALREADY: 142,
	NOT_WHOLE: 143,
	NOT_VERIFIED: 144,
	KEY_PAIR: 145,
	NOT_PACKED: 146,
	VERSION_COUNTER: 147,
	OTHER_BOARD: 148,
	OTHER_FLASH: 149,
} as const);

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Texts by number; {0}, {1} stand for the values given with the error. */
const texts: Readonly<Record<ErrorCode, string>> = Object.freeze({
	[-109]: "Server did not report a version",
	[-108]: "Unauthorized (401)",
	[-107]: "New Binary Does Not Fit Flash Size",
	[-106]: "Verify Bin Header Failed",
	[-105]: "Wrong MD5",
	[-104]: "Wrong HTTP Code",
	[-103]: "Forbidden (403)",
	[-102]: "File Not Found (404)",
	[-101]: "Server Did Not Report Size",
	[-100]: "Not Enough space",
	[-11]: "read Timeout",
	[-9]: "Transfer-Encoding not supported",
	[-7]: "no HTTP server",
	[-5]: "connection lost",
	[-1]: "connection failed",
	0: "No Error",
	1: "Flash Write Failed",
	2: "Flash Erase Failed",
	3: "Flash Read Failed",
	4: "Not Enough Space",
	5: "Bad Size Given",
	6: "Stream Read Timeout",
	7: "MD5 verification failed: expected: {0}, calculated: {1}",
	8: "Flash config wrong: real: {0}, SDK: {1}",
	9: "new Flash config wrong, real size: {0}",
	10: "Magic byte is not 0xE9",
	11: "Invalid bootstrapping state, reset ESP8266 before updating",
	12: "Signature verification failed",
	13: "No data supplied",
	14: "Out of memory",
	15: "Update already running",
	16: "Unknown update command",
	101: "Update incomplete: {0} of {1} bytes arrived, send it again",
	102: "Image damaged or not for this boot loader: {0}",
	103: "Update is closed, open another one",
	104: "Connection lost after {0} of {1} bytes, send it again",
	105: "No connection to {0} port {1}, open that port in the uploader's firewall",
	106: "Bad MD5 given: 32 hexadecimal digits wanted",
	107: "Wrong password from {0}, or an MD5 answer where strong authentication is wanted",
	108: "Upload not understood: {0}",
	109: "Update abandoned by the application",
	110: "Redirect not followed: {0}",
	111: "The server sent another part of the image than asked for",
	112: "Not now: the application is busy",
	113: "No address to ask for an update: {0}",
	120: "No answer from {0} port {1}: is the board on, in this network, and is the port right",
	121: "The board wants a password: give --password or --password-env",
	122: "Authentication Failed: wrong password, or the board takes no plain MD5 answer",
	123: "The board refused the update: {0}",
	124: "No result from the board within {0} s: look at its version before another try",
	125: "Answer not understood: {0}",
	126: "The board did not connect back to port {0} within {1} s: open that TCP port in this machine's firewall (--host-port chooses it)",
	127: "{0}: {1}",
	128: "Stopped after {0} bytes",
	129: "No address for {0}: check the name, or give the IP address of the board",
	130: "Cannot listen on TCP port {0} ({1}): choose another one with --host-port",
	131: "{0} is damaged or no firmware, not sent: {1} (ota8266 info tells more, --force sends it)",
	132: "Authentication Failed: the board does not take user {0} with this password (--user, --password)",
	133: "The board is busy: {0}, try again {1}",
	134: "No web update at {0} ({1}): give its place to --http, as in http://192.168.1.50/update",
	135: "The board sends to {0}: give that URL to --http, if it is the board's",
	136: "Certificate of {0} not trusted ({1}): NODE_EXTRA_CA_CERTS=FILE names one that signed it",
	137: "The update was verified, but {0} runs as before: {1}; the board's log tells more",
	138: "The update was verified, but the board has not come back within {0} s: look at it and at its network",
	140: "Key {0} cannot be used: {1}",
	141: "{0} is there already, and stays as it is: give another folder to --out, or move it away",
	142: "{0} is signed already: sign the file that was built, or say --force",
	143: "{0} is damaged or no firmware: {1} (ota8266 info tells more; --filesystem says that it is one, --force goes on)",
	144: "{0} is not verified: {1}",
	145: "{0} is not the key to {1}, no board would take what it signs: put the keys of one pair there",
	146: "{0} cannot be packed: {1}",
	147: "The image's version counter is {0}, this board takes {1} and above: send a newer one",
	148: "The image is for the board {0}, and this is {1}: send the one that is made for it",
	149: "The image is for a flash of {0} bytes, and this board's has {1}: send the one that is made for it",
});

/** The text of an error. `values` fill {0}, {1}. An unknown number gives the core's "UNKNOWN". */
export function errorText(code: number, ...values: readonly (string | number)[]): string {
	let text = texts[code as ErrorCode] ?? "UNKNOWN";
	for (let i = 0; i < values.length; i++) text = text.replace(`{${i}}`, () => String(values[i]));
	return text;
}

/** The one error type of this project: a number from ErrorCode, and its text as `message`. */
export class UpdateError extends Error {
	readonly code: ErrorCode;

	constructor(code: ErrorCode, ...values: readonly (string | number)[]) {
		super(errorText(code, ...values));
		this.code = code;
	}

	/** The form of the core's printError, which uploaders show to their users: `ERROR[code]: text`. */
	override toString(): string {
		return `ERROR[${this.code}]: ${this.message}`;
	}
}
