/** What is wrong with a partition table; what reads the file adds its name. */
export class TableError extends Error {
	/** `line` is that of a CSV, from 1. */
	constructor(message: string, line?: number) {
		super(line === undefined ? message : `line ${line}: ${message}`);
	}
}
