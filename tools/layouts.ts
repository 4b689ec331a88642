/** The layouts of partitions/, as commands find them. */
import { fileURLToPath } from "node:url";
import { ErrorCode, UpdateError } from "../ota/errors";
import { type LayoutFile, layoutFaults, readLayouts } from "../partitions/layout-file";
import { linkFaults } from "../partitions/linker-script";

/** They lie beside the sources, and beside the built command. */
export const layoutsFolder = fileURLToPath(new URL("../partitions", import.meta.url));
/** That of a NodeMCU. */
export const USUAL_LAYOUT = "nodemcu-4m";

export interface NamedLayout {
	name: string;
	layout: LayoutFile;
}

/** A layout that an application can be linked for. Throws UpdateError FILE for a faulty one, or with those that there are. */
export function layoutNamed(name: string): NamedLayout {
	const layouts = named();
	const found = layouts.find((each) => each.name === name);
	if (!found) {
		const names = layouts.map(({ name }) => name).join(", ");
		throw new UpdateError(ErrorCode.FILE, name, `no such layout, there are ${names}`);
	}
	const faults = [...layoutFaults(found.layout), ...linkFaults(found.layout)];
	if (faults.length > 0) throw new UpdateError(ErrorCode.FILE, name, faults.join("; "));
	return found;
}

/** For a flash of so many bytes the only layout, or of several the usual one. Throws UpdateError FILE. */
export function layoutForFlash(size: number): NamedLayout {
	const sized = named().filter(({ layout }) => Number(layout.flashSize) === size);
	const found = sized.find(({ layout }) => layout.default) ?? sized[0];
	if (!found) throw new UpdateError(ErrorCode.FILE, layoutsFolder, `no layout for a flash of ${size} bytes`);
	return layoutNamed(found.name);
}

function named(): NamedLayout[] {
	return readLayouts(layoutsFolder).map(([file, layout]) => ({ name: file.replace(".json", ""), layout }));
}
