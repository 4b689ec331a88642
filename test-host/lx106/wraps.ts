/** wraps.c: functions that stand around natives and the SDK's of the flash, to count them and their instructions. */

/** Of the SDK. On the device they wait for the flash; here they are its model, whose instructions mean nothing. */
const CHIP: Readonly<Record<string, readonly [parameters: string, values: string]>> = {
	modSPIRead: ["uint32_t offset, uint32_t size, uint8_t *bytes", "offset, size, bytes"],
	modSPIWrite: ["uint32_t offset, uint32_t size, const uint8_t *bytes", "offset, size, bytes"],
	modSPIErase: ["uint32_t offset, uint32_t size", "offset, size"],
};

/** The device's and those of the digests; not what stands for the SDK's other modules. */
function partOf(native: string): string | undefined {
	if (native.startsWith("xs_esp8266_")) return "PART_NATIVE";
	return native.startsWith("xs_digest_") ? "PART_DIGEST" : undefined;
}

export interface Wraps {
	source: string;
	/** For the linker. */
	options: string[];
}

export function wrapsOf(natives: readonly string[]): Wraps {
	const counted = natives.flatMap((name) => {
		const part = partOf(name);
		return part ? [{ name, part }] : [];
	});
	const chip = Object.entries(CHIP);
	const names = [...counted.map(({ name }) => name), ...chip.map(([name]) => name)];
	const source = [
		'#include "xsmc.h"',
		'#include "machine.h"',
		`const char *const wrapped_names[] = { ${names.map((name) => `"${name}"`).join(", ")} };`,
		`uint32_t wrapped_calls[${names.length}];`,
		`const int wrapped_count = ${names.length};`,
		...counted.map(({ name, part }, index) =>
			[
				`void __real_${name}(xsMachine *the);`,
				`void __wrap_${name}(xsMachine *the);`,
				`void __wrap_${name}(xsMachine *the) {`,
				`	int outer = measure_enter(${part});`,
				`	wrapped_calls[${index}]++;`,
				`	__real_${name}(the);`,
				"	measure_leave(outer);",
				"}",
			].join("\n"),
		),
		...chip.map(([name, [parameters, values]], index) =>
			[
				`uint8_t __real_${name}(${parameters});`,
				`uint8_t __wrap_${name}(${parameters});`,
				`uint8_t __wrap_${name}(${parameters}) {`,
				"	int outer = measure_enter(PART_CHIP);",
				"	uint8_t result;",
				`	wrapped_calls[${counted.length + index}]++;`,
				`	result = __real_${name}(${values});`,
				"	measure_leave(outer);",
				"	return result;",
				"}",
			].join("\n"),
		),
		"",
	].join("\n");
	return { source, options: names.map((name) => `-Wl,--wrap=${name}`) };
}
