/** The XS engine's sources: in the npm package @agoric/xsnap, of which only moddable/xs is used. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const PACKAGE = "@agoric/xsnap@0.15.0";
const INTEGRITY =
	"sha512-ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==";
const INSIDE = "package/moddable/xs";

/** What names these sources, for a cache. */
export const packageKey = `${PACKAGE} ${INTEGRITY}`;

/** The folder of the engine's sources (it has includes, platforms, sources), fetched into `folder` where they lack. */
export function engineSources(folder: string): string {
	const sources = join(folder, INSIDE);
	if (existsSync(sources)) return sources;
	mkdirSync(dirname(folder), { recursive: true });
	const temporary = mkdtempSync(`${folder}-`);
	try {
		const packed = execFileSync("npm", ["pack", PACKAGE, "--json", "--pack-destination", temporary], {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "pipe"],
		});
		const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
		const file = join(temporary, filename.replace("@", "").replace("/", "-"));
		checkIntegrity(file);
		execFileSync("tar", ["-xzf", file, "-C", temporary, INSIDE]);
		rmSync(file);
		rmSync(folder, { recursive: true, force: true });
		renameSync(temporary, folder);
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
	return sources;
}

function checkIntegrity(file: string): void {
	const digest = createHash("sha512").update(readFileSync(file)).digest("base64");
	if (`sha512-${digest}` !== INTEGRITY)
		throw new Error(`${PACKAGE} is not what was expected: sha512-${digest}`);
}
