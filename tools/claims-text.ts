import type { Claims } from "../ota/claims";

/** Rows of a table about claims; none where none are made. */
export function claimRows(claims: Claims | undefined): string[][] {
	if (!claims) return [];
	const { versionCounter, flashSize, board } = claims;
	const texts = [
		versionCounter !== undefined && `version counter ${versionCounter}`,
		flashSize !== undefined && `flash ${sizeText(flashSize)}`,
		board !== undefined && `board ${board}`,
	].filter((text) => text !== false);
	return [["Claims", texts.length > 0 ? texts.join(", ") : "none made"]];
}

/** Flash is counted in powers of two. */
export function sizeText(bytes: number): string {
	if (bytes === 0) return "size unknown";
	return bytes >= 0x100000 ? `${bytes / 0x100000} MiB` : `${bytes / 1024} KiB`;
}
