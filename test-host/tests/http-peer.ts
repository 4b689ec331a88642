/** The other end of a board's HTTP connection, over a real socket. */
import type { Socket } from "node:net";
import { until } from "./shim-bench";

export interface Peer {
	socket: Socket;
	/** All that came. */
	received(): string;
	/** Waits until this came. */
	receives(text: string): Promise<void>;
	/** Sends at once. */
	says(text: string): void;
	/** Waits for the end of the connection: whether it was orderly. */
	ended(): Promise<"end" | "reset">;
}

export function peerOf(socket: Socket): Peer {
	let received = "";
	let how: "end" | "reset" | undefined;
	socket.setEncoding("latin1").on("data", (data: string) => {
		received += data;
	});
	socket.on("end", () => {
		how ??= "end";
	});
	for (const event of ["error", "close"]) {
		socket.on(event, () => {
			how ??= "reset";
		});
	}
	return {
		socket,
		received: () => received,
		receives: (wanted) => until(() => received.includes(wanted)),
		says: (text) => void socket.write(text, "latin1"),
		async ended() {
			await until(() => how !== undefined);
			return how ?? "reset";
		},
	};
}
