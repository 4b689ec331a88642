/** The bench's results as Markdown. */
import { type FlashCosts, flashLimit } from "./figures";
import type { Result } from "./matrix";
import { CORE, type Condition, conditionName } from "./rows";

/** The goals of the project, which the report says are reached or not. */
export const GOALS = {
	/** Times as fast as the Arduino core, from the first packet until the board is in the network. */
	fast: 2.5,
	slow: 1.5,
	/** Times that the transfer may take as long as the flash. */
	limit: 1.15,
	/** Part of the transfer that may be computing. */
	computing: 0.2,
};

export function table(titles: readonly string[], lines: readonly (readonly string[])[]): string {
	const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
	return [row(titles), row(titles.map((_, i) => (i === 0 ? "---" : "---:"))), ...lines.map(row)].join("\n");
}

/** Times as fast as the Arduino core's way under the same condition. */
export function speedOf(result: Result, results: readonly Result[]): number {
	return coreOf(result.condition, results).total / result.total;
}

function coreOf(condition: Condition, results: readonly Result[]): Result {
	const found = results.find((one) => one.row === CORE && one.condition === condition);
	if (!found) throw new Error("no result of the Arduino core");
	return found;
}

const seconds = (time: number) => time.toFixed(1);
const percent = (part: number) => `${Math.round(part * 100)} %`;
const times = (ratio: number) => ratio.toFixed(2);

/** Short: the whole time under some conditions, and times as fast as the Arduino core's. */
export function shortTable(results: readonly Result[], conditions: readonly Condition[]): string {
	const rows = [...new Set(results.map(({ row }) => row))];
	const titles = ["an update by", ...conditions.map(networkName)];
	return table(
		titles,
		rows.map((row) => [
			row.name,
			...conditions.map((condition) => {
				const result = results.find((one) => one.row === row && one.condition === condition);
				return result ? `${seconds(result.total)} s, ×${speedOf(result, results).toFixed(1)}` : "";
			}),
		]),
	);
}

/** Every phase of every row under one condition. */
export function phaseTable(results: readonly Result[], condition: Condition): string {
	const titles = [
		conditionName(condition),
		"transfer, s",
		"verification, s",
		"copy, s",
		"in all, s",
		"times as fast",
		"transfer / limit by sectors",
		"by blocks",
		"computing",
		"waiting for the flash",
	];
	return table(
		titles,
		results
			.filter((one) => one.condition === condition)
			.map((one) => [
				one.row.name,
				seconds(one.transfer),
				seconds(one.verification),
				seconds(one.copy),
				seconds(one.total),
				times(speedOf(one, results)),
				times(one.bySectors),
				times(one.byBlocks),
				percent(one.computing),
				percent(one.waiting),
			]),
	);
}

/** What each saving brings: seconds of the transfer under some conditions. */
export function savingTable(results: readonly Result[], conditions: readonly Condition[]): string {
	const rows = [...new Set(results.map(({ row }) => row))];
	return table(
		["`ota8266 upload`, raw, the transfer with", ...conditions.map(networkName)],
		rows.map((row) => [
			row.name,
			...conditions.map((condition) => {
				const result = results.find((one) => one.row === row && one.condition === condition);
				return result ? `${seconds(result.transfer)} s, ${times(result.bySectors)} of the limit` : "";
			}),
		]),
	);
}

const networkName = (one: Condition) => `${one.rate / 1000} KB/s, ${one.roundTrip} ms`;

export function limitText(costs: FlashCosts): string {
	const kilobytes = (unit: "sector" | "block") => (flashLimit(costs, unit) / 1000).toFixed(1);
	return `The flash's limit, ${costs.name}: ${kilobytes("sector")} KB/s by sectors, ${kilobytes("block")} KB/s by blocks.`;
}

interface Goal {
	name: string;
	wanted: string;
	/** The row that it is reached by first, or missed by most. */
	found: Result;
	value: string;
	reached: boolean;
}

/** What is reached of the goals: by the fastest row of each boot loader, by the one that is nearest, by the busiest. */
export function goalsTable(results: readonly Result[], fast: Condition, slow: Condition): string {
	const ours = results.filter(({ row }) => row !== CORE);
	const under = (condition: Condition) => ours.filter((one) => one.condition === condition);
	const goals = [
		...[fast, slow].flatMap((condition) => {
			const [slots, eboot] = [true, false].map((has) =>
				speedGoal(
					under(condition).filter(({ row }) => (row.slots ?? false) === has),
					results,
					condition === fast ? GOALS.fast : GOALS.slow,
				),
			);
			return [eboot, slots];
		}),
		limitGoal(under(fast)),
		computingGoal([...under(fast), ...under(slow)]),
	];
	return table(
		["goal", "wanted", "found", "reached"],
		goals.flatMap((goal) =>
			goal
				? [[goal.name, goal.wanted, `${goal.value} (${goal.found.row.name})`, goal.reached ? "yes" : "no"]]
				: [],
		),
	);
}

function speedGoal(some: readonly Result[], all: readonly Result[], goal: number): Goal | undefined {
	const [first, ...rest] = some;
	if (!first) return undefined;
	const found = rest.reduce((a, b) => (a.total < b.total ? a : b), first);
	const value = speedOf(found, all);
	const boot = found.row.slots ? "two slots" : "eboot";
	const name = `times as fast, ${boot}, ${conditionName(found.condition)}`;
	return { name, wanted: `${goal}`, found, value: value.toFixed(3), reached: value >= goal };
}

function limitGoal(some: readonly Result[]): Goal {
	const found = some.reduce((a, b) => (a.bySectors < b.bySectors ? a : b));
	return {
		name: "transfer / the flash's limit by sectors",
		wanted: `≤ ${GOALS.limit}`,
		found,
		value: found.bySectors.toFixed(3),
		reached: found.bySectors <= GOALS.limit,
	};
}

function computingGoal(some: readonly Result[]): Goal {
	const found = some.reduce((a, b) => (a.computing > b.computing ? a : b));
	return {
		name: "computing, of the transfer, at most",
		wanted: `≤ ${percent(GOALS.computing)}`,
		found,
		value: percent(found.computing),
		reached: found.computing <= GOALS.computing,
	};
}
