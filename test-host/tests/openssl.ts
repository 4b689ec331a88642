/** The openssl command, which judges our keys and signatures from outside. */
import { execFileSync, spawnSync } from "node:child_process";
import { describe } from "vitest";

/**
 * Tests that need openssl. Without it they are skipped, with a name that says what to install; in CI they fail.
 */
export function withOpenSSL(name: string, tests: () => void): void {
	const skipped = spawnSync("openssl", ["version"]).status !== 0 && !process.env.CI;
	describe.skipIf(skipped)(skipped ? `${name} (skipped: apt-get install openssl)` : name, tests);
}

/** Its output. Throws where it fails. */
export function openssl(args: readonly string[], input?: Uint8Array): Buffer {
	return execFileSync("openssl", args, { input, stdio: ["pipe", "pipe", "pipe"] });
}
