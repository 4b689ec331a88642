import { defineConfig } from "vitest/config";
import { shimFiles } from "./test-host/shims/names.ts";

/** Every power cut and the random lives. */
const JUDGE = "test-host/tests/boot-{cuts,lives}*.test.ts";

export default defineConfig({
	resolve: { alias: shimFiles() },
	test: {
		globalSetup: "test-host/setup.ts",
		pool: "forks",
		testTimeout: 20_000,
		// Some make keys, or build with a compiler.
		hookTimeout: 60_000,
		projects: [
			{
				extends: true,
				test: {
					name: "tests",
					include: ["test-host/tests/**/*.test.ts"],
					exclude: [JUDGE],
					sequence: { groupOrder: 0 },
					// Most of the time goes into waiting for sockets, whatever the number of cores.
					maxWorkers: 3,
				},
			},
			{
				extends: true,
				test: {
					name: "judge",
					include: [JUDGE],
					// Behind the others: what takes all of the cores for minutes makes boards and their clocks late.
					sequence: { groupOrder: 1 },
					maxWorkers: 2,
				},
			},
		],
	},
});
