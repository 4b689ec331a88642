/** The engines that the tests of a whole board run on: the same tests on each. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Engine } from "../virtual/engine";
import { NodeEngine } from "../virtual/node-engine";
import { type Peaks, XsEngine } from "../virtual/xs-engine";

/** Made by the build before the tests, where there is a 32-bit compiler. */
export const xsProgram = fileURLToPath(new URL("../../dist/xs-host", import.meta.url));
export const hasXS = existsSync(xsProgram);

export type EngineName = "node" | "xs";

/** Those that can run here. In CI both have to, so that what is missing fails there. */
export const engines: readonly EngineName[] = hasXS || process.env.CI ? ["node", "xs"] : ["node"];

export function createEngine(name: EngineName, onPeaks?: (peaks: Peaks) => void): Engine {
	return name === "xs" ? new XsEngine(xsProgram, onPeaks) : new NodeEngine();
}
