/** What a fault looks like. */
import { loadOdd } from "measure";

export default function run(): void {
	trace(`before\n`);
	trace(`${loadOdd()}\n`);
}
