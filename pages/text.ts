/** Elements and numbers, as the page shows them. */

/** The page has what is asked for: both are in this folder. */
export const find = <E extends Element>(selector: string, within: ParentNode = document): E =>
	within.querySelector(selector) as E;

export const grouped = (value: number): string => value.toLocaleString("en");

/** 1 KB is 1,000 bytes. */
export const size = (bytes: number): string =>
	bytes < 1000 ? `${bytes} bytes` : `${grouped(Math.round(bytes / 1000))} KB`;
