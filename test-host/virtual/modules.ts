/** The application as it lies in a firmware for the virtual board: its modules and resources, as JSON. */

export interface Module {
	/** As imports name it: `main`, `ota/update`, `embedded:storage/flash`. */
	name: string;
	/** Evaluated before the application's machine begins, as the manifest says. */
	preload: boolean;
	/** An ES module. */
	source: string;
}

/** A file that the application finds in flash by its name, with the module Resource. */
export interface Resource {
	name: string;
	bytes: Uint8Array;
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

export interface Application {
	/** The manifest's `config`, which the application finds as the module mc/config. */
	config: Settings;
	modules: readonly Module[];
	resources?: readonly Resource[];
}

/** What an engine starts. */
export interface Decoded {
	modules: Module[];
	resources: Resource[];
}

/** In JSON. */
interface Encoded {
	config: Settings;
	modules: readonly Module[];
	/** By name, in base64. Firmwares of before there were any lack it. */
	resources?: Readonly<Record<string, string>>;
}

const CONFIG_MODULE = "mc/config";

export function encodeApplication({ config, modules, resources = [] }: Application): string {
	const files = resources.map(({ name, bytes }) => [name, Buffer.from(bytes).toString("base64")] as const);
	const encoded: Encoded = { config, modules, resources: Object.fromEntries(files) };
	return JSON.stringify(encoded);
}

/** The application, its settings overridden; undefined where the text is damaged. */
export function decodeApplication(text: string, overrides: Settings): Decoded | undefined {
	try {
		const { config, modules, resources = {} } = JSON.parse(text) as Encoded;
		const settings = JSON.stringify({ ...config, ...overrides });
		const source = `export default Object.freeze(${settings});`;
		return {
			modules: [{ name: CONFIG_MODULE, preload: true, source }, ...modules],
			resources: Object.entries(resources).map(([name, file]) => ({
				name,
				bytes: new Uint8Array(Buffer.from(file, "base64")),
			})),
		};
	} catch {
		return undefined;
	}
}
