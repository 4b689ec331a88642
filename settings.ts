/** The settings of the application, which the manifest's `config` holds. */
import config from "mc/config";
import { Signatures } from "./ota/signature/signatures";

/** Where one of these settings is made a key is wanted: one that is lost or damaged must not open the board. */
export function signaturesWanted(): Signatures | undefined {
	const { publicKeys, minVersionCounter, signatureBoard } = config;
	if ((publicKeys ?? minVersionCounter ?? signatureBoard) === undefined) return undefined;
	return new Signatures({
		keys: text(publicKeys) ?? "",
		allowLegacy: config.allowLegacySignatures === true,
		minVersionCounter:
			minVersionCounter === undefined ? undefined : (number(minVersionCounter) ?? Number.NaN),
		board: signatureBoard === undefined ? undefined : (text(signatureBoard) ?? ""),
	});
}

export function text(setting: unknown): string | undefined {
	return typeof setting === "string" ? setting : undefined;
}

export function number(setting: unknown): number | undefined {
	return typeof setting === "number" ? setting : undefined;
}
