/** Manifests of mcconfig, as far as this project's tools look into them. */
import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { ErrorCode, UpdateError } from "../../ota/errors";
import type { Settings } from "../../test-host/virtual/modules";

export type Paths = Readonly<Record<string, string | readonly string[]>>;

/** What a manifest says, and those say that it includes, in their order. */
export interface Manifest {
	config: Settings;
	/** Module names and their paths, both of which may end with a star. Folders are whole, the SDK's begin with `$(`. */
	modules: readonly (readonly [name: string, path: string])[];
	/** Files that lie in flash, paths as those of modules. */
	data: Paths;
	preload: readonly string[];
}

interface ManifestFile {
	include?: string | readonly string[];
	config?: Settings;
	modules?: Paths;
	data?: Paths;
	preload?: string | readonly string[];
}

/** Whether a path begins with a variable, as those into the SDK do. */
export function isSDKPath(path: string): boolean {
	return path.startsWith("$(");
}

/**
 * Reads a manifest with what it includes, each manifest once. Those that lie in the SDK are left out. Throws
 * UpdateError FILE for a manifest that is missing or no JSON.
 */
export function readManifest(file: string): Manifest {
	const read: ManifestFile[] = [];
	readInto(resolve(file), read, new Set());
	return {
		config: Object.assign({}, ...read.map(({ config }) => config)),
		modules: read.flatMap(({ modules }) => pairs(modules)),
		data: { "*": read.flatMap(({ data }) => pairs(data).map(([, path]) => path)) },
		preload: read.flatMap(({ preload }) => preload ?? []),
	};
}

/** Included ones first, since what includes them overrides them; paths become whole. */
function readInto(file: string, read: ManifestFile[], seen: Set<string>): void {
	if (seen.has(file)) return;
	seen.add(file);
	const manifest = parse(file);
	const whole = (path: string) => (isSDKPath(path) ? path : resolve(dirname(file), path));
	for (const path of [manifest.include ?? []].flat()) {
		if (!isSDKPath(path)) readInto(whole(path), read, seen);
	}
	const wholePaths = (paths: Paths = {}) =>
		Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, [path].flat().map(whole)]));
	read.push({ ...manifest, modules: wholePaths(manifest.modules), data: wholePaths(manifest.data) });
}

function parse(file: string): ManifestFile {
	try {
		return JSON.parse(readFileSync(file, "utf8")) as ManifestFile;
	} catch (error) {
		const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
		const reason = missing ? "no such manifest" : `no manifest (${(error as Error).message})`;
		throw new UpdateError(ErrorCode.FILE, file, reason);
	}
}

function pairs(paths: Paths = {}): [name: string, path: string][] {
	return Object.entries(paths).flatMap(([name, path]) =>
		[path].flat().map((one): [string, string] => [name, one]),
	);
}

/** Whether a file's name, without its extension, is what a path of a manifest says. */
export function fitsPath(stem: string, path: string): boolean {
	const [start = "", ...more] = basename(path).split("*");
	return more.length > 0 ? stem.startsWith(start) : stem === start;
}
