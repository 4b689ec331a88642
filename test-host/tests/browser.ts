/**
 * Debian's Chromium for the tests that need a browser: one for a test file, and for each page a context of its
 * own, without cookies, cache or credentials of another.
 */
import { existsSync } from "node:fs";
import {
	type Browser,
	type BrowserContext,
	type BrowserContextOptions,
	chromium,
	type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe } from "vitest";

const CHROMIUM = "/usr/bin/chromium";
/** The machine's network may be closed: nothing is looked up in the background. As root there is no sandbox. */
const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];
/** ms, for what a page is waited for. Less than a test's own limit, so that a failure says what was missing. */
const TIMEOUT = 10_000;

let browser: Browser | undefined;
const contexts: BrowserContext[] = [];

/**
 * Tests that need a browser. Without Chromium they are skipped, with a name that says what to install; in CI
 * they fail.
 */
export function inBrowser(name: string, tests: () => void): void {
	const skipped = !existsSync(CHROMIUM) && !process.env.CI;
	describe.skipIf(skipped)(skipped ? `${name} (skipped: apt-get install chromium)` : name, () => {
		beforeAll(async () => {
			// Its profile is new, in a folder of its own.
			browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
		}, 60_000);
		afterEach(async () => {
			await Promise.all(contexts.splice(0).map((context) => context.close()));
		});
		afterAll(() => browser?.close());
		tests();
	});
}

/**
 * Opens `url` in a context of its own, closed after the test. `options` are Playwright's: `httpCredentials`,
 * `javaScriptEnabled`, `userAgent`, `viewport`, `colorScheme`. `prepare` sees the page before it loads.
 */
export async function openPage(
	url: string,
	options: BrowserContextOptions = {},
	prepare?: (page: Page) => Promise<void>,
): Promise<Page> {
	if (!browser) throw new Error("openPage is for the tests of inBrowser");
	const context = await browser.newContext(options);
	contexts.push(context);
	context.setDefaultTimeout(TIMEOUT);
	const page = await context.newPage();
	await prepare?.(page);
	await page.goto(url);
	return page;
}
