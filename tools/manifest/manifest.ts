/** Manifests of mcconfig, as far as this project's tools look into them. */
import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { ErrorCode, UpdateError } from "../../ota/errors";
import type { Settings } from "../../test-host/virtual/modules";

/** A path, or one with what else mcconfig is told of it. */
export type Source = string | { source: string };
export type Paths = Readonly<Record<string, Source | readonly Source[]>>;

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
	/** Those that are no text lie in git, as far away as the SDK. */
	include?: unknown;
	config?: Settings;
	modules?: Paths;
	data?: Paths;
	preload?: string | readonly string[];
}

/** The same with whole paths, each by itself. */
interface Located extends Omit<ManifestFile, "modules" | "data"> {
	modules: [name: string, path: string][];
	data: [name: string, path: string][];
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
	const read: Located[] = [];
	readInto(resolve(file), read, new Set());
	return {
		config: Object.assign({}, ...read.map(({ config }) => config)),
		modules: read.flatMap(({ modules }) => modules),
		data: { "*": read.flatMap(({ data }) => data.map(([, path]) => path)) },
		preload: read.flatMap(({ preload }) => preload ?? []),
	};
}

/** Included ones first, since what includes them overrides them; paths become whole. */
function readInto(file: string, read: Located[], seen: Set<string>): void {
	if (seen.has(file)) return;
	seen.add(file);
	const manifest = parse(file);
	const whole = (path: string) => (isSDKPath(path) ? path : resolve(dirname(file), path));
	for (const path of [manifest.include ?? []].flat()) {
		if (typeof path === "string" && !isSDKPath(path)) readInto(whole(path), read, seen);
	}
	const wholePairs = (paths: Paths | undefined) =>
		pairs(paths).map(([name, path]): [string, string] => [name, whole(path)]);
	read.push({ ...manifest, modules: wholePairs(manifest.modules), data: wholePairs(manifest.data) });
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

/** Each path by itself. */
export function pairs(paths: Paths = {}): [name: string, path: string][] {
	return Object.entries(paths).flatMap(([name, sources]) =>
		[sources]
			.flat()
			.map((source): [string, string] => [name, typeof source === "string" ? source : source.source]),
	);
}

/** Whether a file's name, without its extension, is what a path of a manifest says. */
export function fitsPath(stem: string, path: string): boolean {
	const [start = "", ...more] = basename(path).split("*");
	return more.length > 0 ? stem.startsWith(start) : stem === start;
}
