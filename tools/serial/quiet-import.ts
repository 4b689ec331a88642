/** Runs `action` without the warnings by which Node 20 and 22 greet the JSON modules of esptool-js. */
export async function withoutExperimentalWarnings<T>(action: () => Promise<T>): Promise<T> {
	const { emitWarning } = process;
	process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
		if (rest[0] !== "ExperimentalWarning") Reflect.apply(emitWarning, process, [warning, ...rest]);
	};
	try {
		return await action();
	} finally {
		process.emitWarning = emitWarning;
	}
}
