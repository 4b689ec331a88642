import { defineConfig } from "vitest/config";
import { shimFiles } from "./test-host/shims/names.ts";

export default defineConfig({
	resolve: { alias: shimFiles() },
	test: {
		include: ["test-host/tests/**/*.test.ts"],
		globalSetup: "test-host/setup.ts",
		pool: "forks",
		// Most of the time goes into waiting for sockets, whatever the number of cores.
		maxWorkers: 3,
		testTimeout: 20_000,
		// Some make keys, or build with a compiler.
		hookTimeout: 60_000,
	},
});
