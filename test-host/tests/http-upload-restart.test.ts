import { afterEach, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { type HTTPUploadOptions, httpUpload } from "../../tools/http-upload";
import { parseStatus, type Restart } from "../../tools/http-upload/restart";
import { FakeWebUpdate, type FakeWebUpdateOptions } from "./fake-web-update";

const image = new Uint8Array(5000);

let board: FakeWebUpdate | undefined;

afterEach(() => {
	board?.close();
	board = undefined;
});

function status(version: string, uptime: number, result?: string, text?: string): object {
	const error = text === undefined ? null : { code: 12, text };
	return { name: "lamp", version, uptime, runningMD5: null, update: result ? { result, error } : null };
}

/** Sends an image, and watches the restart. */
async function restart(
	told: FakeWebUpdateOptions["status"] & object,
	options: Partial<HTTPUploadOptions> = {},
	behaviour: FakeWebUpdateOptions = {},
): Promise<Restart | undefined> {
	board = await FakeWebUpdate.start({ ours: true, status: told, ...behaviour });
	const result = await httpUpload({
		url: board.url,
		image,
		watch: { timeout: 1000, interval: 20, answerTimeout: 300 },
		...options,
	});
	return result.restart?.();
}

const before = status("1.0.0", 500, "took effect");
const verified = status("1.0.0", 501, "verified");

test("a board that runs what was sent tells the version, and which one it ran", async () => {
	const after = status("2.0.0", 1, "took effect");
	expect(await restart([before, verified, after])).toEqual({
		version: "2.0.0",
		was: "1.0.0",
		restarted: true,
	});
});

test("a board is waited for while it does not answer", async () => {
	const after = status("2.0.0", 1, "took effect");
	const told = await restart([before, "silent", after]);
	expect(told).toMatchObject({ version: "2.0.0" });
});

test("a board that has forgotten the update has restarted where it is up for a shorter time", async () => {
	const after = status("2.0.0", 1);
	expect(await restart([before, after])).toEqual({ version: "2.0.0", was: "1.0.0", restarted: true });
});

test.each(["did not take effect", "failed"])("an update that %s is an error", async (result) => {
	const after = status("1.0.0", 1, result, "Signature verification failed");
	await expect(restart([before, verified, after])).rejects.toMatchObject({
		code: ErrorCode.NOT_IN_EFFECT,
		message: expect.stringMatching(/1\.0\.0 runs as before: Signature verification failed/),
	});
});

test("a board that goes on is no error: its application chooses when to restart", async () => {
	expect(await restart([before, verified])).toEqual({ version: "1.0.0", was: "1.0.0", restarted: false });
});

test("a board that does not come back is an error", async () => {
	await expect(restart([before, verified, "silent"])).rejects.toMatchObject({
		code: ErrorCode.NOT_BACK,
		message: expect.stringContaining("within 1 s"),
	});
});

test("what now runs may have no status", async () => {
	expect(await restart([before, verified, "missing"])).toEqual({
		version: undefined,
		was: "1.0.0",
		restarted: true,
	});
});

test.each([["missing"], [{ name: "lamp" }], ["silent"]] as const)(
	"a board whose status is %j is not watched",
	async (told) => {
		expect(await restart([told], { timeout: 1000 })).toBeUndefined();
		expect(board?.upload?.body.equals(image)).toBe(true);
	},
);

test("a board is not watched where that is not wanted", async () => {
	expect(await restart([before], { watch: undefined })).toBeUndefined();
	expect(board?.lines).toEqual(["GET /update", "PUT /update?kind=firmware"]);
});

test("a board that has forgotten the nonce with its restart gets a fresh proof", async () => {
	const after = status("2.0.0", 1, "took effect");
	const behaviour = { login: ["sha-256"], nonceUses: 3 } as const;
	const told = await restart([before, verified, after], { password: "secret" }, behaviour);
	expect(told).toMatchObject({ version: "2.0.0" });
});

test("the wait can be stopped", async () => {
	const upload = restart([before, verified], { signal: AbortSignal.timeout(200), watch: { timeout: 9000 } });
	await expect(upload).rejects.toMatchObject({
		code: ErrorCode.STOPPED,
		message: `Stopped after ${image.length} bytes`,
	});
});

test.each(["", "null", "[]", "{}", '{"version":1,"uptime":1}', '{"version":"1","uptime":"1"}', '{"version'])(
	"%j is no status",
	(text) => {
		expect(parseStatus(text)).toBeUndefined();
	},
);

test("a status cannot send control characters to the terminal", () => {
	expect(parseStatus('{"version":"\\u001b[2J","uptime":1}')?.version).toBe("?[2J");
});
