/** The application as it lies in a firmware for the virtual board: its modules, as JSON. */

export interface Module {
	/** As imports name it: `main`, `ota/update`, `embedded:storage/flash`. */
	name: string;
	/** Evaluated before the application's machine begins, as the manifest says. */
	preload: boolean;
	/** An ES module. */
	source: string;
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

export interface Application {
	/** The manifest's `config`, which the application finds as the module mc/config. */
	config: Settings;
	modules: readonly Module[];
}

const CONFIG_MODULE = "mc/config";

export function encodeApplication(application: Application): string {
	return JSON.stringify(application);
}

/** The application's modules, its settings overridden; undefined where the text is damaged. */
export function decodeModules(text: string, overrides: Settings): Module[] | undefined {
	try {
		const { config, modules } = JSON.parse(text) as Application;
		const settings = JSON.stringify({ ...config, ...overrides });
		const source = `export default Object.freeze(${settings});`;
		return [{ name: CONFIG_MODULE, preload: true, source }, ...modules];
	} catch {
		return undefined;
	}
}

/** The name that a specifier means in the module `importer`, as the SDK resolves it. */
export function resolveName(specifier: string, importer: string): string {
	if (!specifier.startsWith(".")) return specifier;
	const path = importer.split("/").slice(0, -1);
	for (const part of specifier.replace(/\.m?js$/, "").split("/")) {
		if (part === "..") path.pop();
		else if (part !== ".") path.push(part);
	}
	return path.join("/");
}
