/** Compiles C with a gcc, objects kept by what they are made of. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Unit {
	/** A file in C. */
	file: string;
	flags: readonly string[];
	/** What else it is made of: the headers that may change. */
	headers: readonly string[];
}

export function hashOf(...parts: readonly (string | Uint8Array)[]): string {
	const hash = createHash("sha256");
	for (const part of parts) hash.update(part).update("\0");
	return hash.digest("hex").slice(0, 24);
}

/** Where the object of a unit lies, or will. */
export function objectOf({ file, flags, headers }: Unit, folder: string): string {
	const contents = [file, ...headers].map((path) => readFileSync(path));
	return join(folder, `${basename(file, ".c")}-${hashOf(flags.join(" "), ...contents)}.o`);
}

/** What is linked, and how. */
export interface Program {
	/** Name of a gcc. */
	compiler: string;
	units: readonly Unit[];
	link: readonly string[];
	/** Files that the link's options name, which may change. */
	linkFiles?: readonly string[];
}

/** Compiles what is not in `folder` yet and links all of it; gives the executable's path. Throws gcc's messages. */
export async function buildExecutable(program: Program, folder: string): Promise<string> {
	const { compiler, units, link, linkFiles = [] } = program;
	const objects = units.map((unit) => objectOf(unit, folder));
	const scripts = linkFiles.map((path) => readFileSync(path));
	const executable = join(folder, `xs-host-${hashOf(link.join(" "), ...objects, ...scripts)}`);
	if (existsSync(executable)) return executable;
	mkdirSync(folder, { recursive: true });
	const waiting = units.map((unit, index) => ({ unit, object: objects[index] ?? "" }));
	const work = async () => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			if (!existsSync(next.object)) {
				await gcc(compiler, [...next.unit.flags, "-c", next.unit.file], next.object);
			}
		}
	};
	await Promise.all(Array.from({ length: availableParallelism() }, work));
	await gcc(compiler, [...objects, ...link], executable);
	return executable;
}

/** Under another name first: somebody else may be building the same. */
async function gcc(compiler: string, options: readonly string[], output: string): Promise<void> {
	const temporary = `${output}.${process.pid}`;
	try {
		await run(compiler, [...options, "-o", temporary]);
	} catch (error) {
		const { stderr, message } = error as { stderr?: string; message: string };
		throw new Error(stderr || message);
	}
	renameSync(temporary, output);
}
