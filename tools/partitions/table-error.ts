/** What is wrong with a partition table; what reads the file adds its name. */
export class TableError extends Error {
	/** Of a CSV, from 1. */
	readonly line: number | undefined;

	constructor(message: string, line?: number) {
		super(line === undefined ? message : `line ${line}: ${message}`);
		this.line = line;
	}
}
