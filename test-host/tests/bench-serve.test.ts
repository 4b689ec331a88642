/** The load on `ota8266 serve` that the bench makes, short: what it counts is not what a test can promise. */
import { describe, expect, test } from "vitest";
import { notModified, slowDownloads } from "../bench/serve-load";

describe.skipIf(process.platform !== "linux")("load on ota8266 serve (needs /proc)", () => {
	test.each(["keep-alive", "close"] as const)(
		"counts the answers 304 to connections that are %s",
		async (connection) => {
			const { perSecond } = await notModified(connection, 200);
			expect(perSecond).toBeGreaterThan(0);
		},
	);

	test("holds slow downloads open, and tells the memory that the server takes for them", async () => {
		// A process of Node takes tens of megabytes; twenty downloads not one each.
		const megabytes = await slowDownloads(20, 200);
		expect(megabytes).toBeGreaterThan(10);
		expect(megabytes).toBeLessThan(1000);
	});
});
