/** The table of native functions and identifiers that the host links: found in the scripts and C files. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { transformSync } from "esbuild";

/** The host's own modules, by the SDK's names. */
const moduleNames: Readonly<Record<string, string>> = {
	"timer.js": "timer",
	"crypt.js": "crypt",
	"tcp.js": "embedded:io/socket/tcp",
	"udp.js": "embedded:io/socket/udp",
	"key-value.js": "embedded:storage/key-value",
	"listener.js": "embedded:io/socket/listener",
	"dnssd.js": "embedded:network/dnssd",
	"resource.js": "Resource",
	"net.js": "net",
	"resolver.js": "embedded:network/dns/resolver/udp",
	"tls.js": "embedded:io/socket/tcp/tls",
	"measure.js": "measure",
	"http-client.ts": "embedded:network/http/client",
	"http-server.ts": "embedded:network/http/server",
};

export interface Sources {
	/** The device's modules. */
	scripts: readonly string[];
	/** The host's own modules, which are linked into it. */
	hostScripts: readonly string[];
	/** C files that use natives' identifiers (xsID_name). */
	c: readonly string[];
}

function matches(files: readonly string[], pattern: RegExp): string[] {
	const found = new Set<string>();
	for (const file of files) {
		for (const [, name] of readFileSync(file, "utf8").matchAll(pattern)) if (name) found.add(name);
	}
	return [...found].sort();
}

/** The C functions that scripts name, in order. */
export function nativeNames(scripts: readonly string[]): string[] {
	return matches(scripts, /\bnative\("(\w+)"\)/g);
}

/** mc.xs.h, by which C finds the identifiers: looked up when the machine is made, not numbers as in the SDK. */
export function identifiersHeader(sources: Sources): string {
	const names = matches(sources.c, /\bxsID_(\w+)/g);
	const lines = names.map((name, index) => `#define xsID_${name} host_ids[${index}]`);
	return ["#include <stdint.h>", "extern uint16_t host_ids[];", ...lines, ""].join("\n");
}

/** natives.c: names to C functions, identifiers, and the host's own modules as text. */
export function nativesSource(sources: Sources): string {
	const scripts = [...sources.scripts, ...sources.hostScripts];
	const functions = nativeNames(scripts);
	const destructors = matches(scripts, /\bNative\("(\w+)"\)/g);
	const ids = matches(sources.c, /\bxsID_(\w+)/g);
	const modules = sources.hostScripts.map((file) => {
		const name = moduleNames[basename(file)];
		if (!name) throw new Error(`${file} has no module name`);
		return { name, source: scriptOf(file) };
	});
	return [
		'#include "host.h"',
		'#include "xsmc.h"',
		...functions.map((name) => `extern void ${name}(xsMachine *the);`),
		...destructors.map((name) => `extern void ${name}(void *data);`),
		"const Native host_natives[] = {",
		...[...functions, ...destructors].map((name) => `{ "${name}", (void (*)(void))${name} },`),
		"};",
		`const int host_native_count = ${functions.length + destructors.length};`,
		"const char *const host_id_names[] = {",
		...ids.map((name) => `"${name}",`),
		"};",
		`const int host_id_count = ${ids.length};`,
		`uint16_t host_ids[${ids.length}];`,
		"const BuiltInModule host_modules[] = {",
		...modules.map(({ name, source }) => `{ ${text(name)}, ${text(source)} },`),
		"};",
		`const int host_module_count = ${modules.length};`,
		"",
	].join("\n");
}

/** In JavaScript that the engine knows. */
function scriptOf(file: string): string {
	const source = readFileSync(file, "utf8");
	return file.endsWith(".ts") ? transformSync(source, { loader: "ts", target: "es2022" }).code : source;
}

/** A C string; two question marks in it would begin a trigraph. */
function text(value: string): string {
	return value
		.split(/(?<=\n)/)
		.map((line) => JSON.stringify(line).replaceAll("??", "?\\?"))
		.join("\n");
}
