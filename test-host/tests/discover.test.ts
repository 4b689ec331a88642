import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Bonjour, type ServiceConfig } from "bonjour-service";
import { afterEach, describe, expect, test } from "vitest";
import { boardTable } from "../../tools/discover";
import { boardOf, findBoards } from "../../tools/find-boards";
import { otherAddress } from "./fake-device";

const published: Bonjour[] = [];

afterEach(() => {
	for (const bonjour of published.splice(0)) bonjour.destroy();
});

/** A port for multicast DNS that no other program of this machine listens on. */
async function freePort(): Promise<number> {
	const socket = createSocket("udp4").bind(0);
	await once(socket, "listening");
	const { port } = socket.address();
	socket.close();
	return port;
}

/** Publishes as a board does, on a network of its own. */
async function network(
	...services: readonly Partial<ServiceConfig>[]
): Promise<{ interface: string; port: number }> {
	const options = { interface: otherAddress(), port: await freePort() };
	const mdns = { ...options, bind: "0.0.0.0" };
	const bonjour = new Bonjour(mdns as Partial<ServiceConfig>);
	published.push(bonjour);
	for (const service of services) {
		const config = { name: "esp8266-1a2b3c", type: "arduino", port: 8266, probe: false, ...service };
		await once(bonjour.publish(config), "up");
	}
	return options;
}

const txt = { tcp_check: "no", ssh_upload: "no", board: "nodemcuv2", auth_upload: "no" };

describe("boards on the network", () => {
	test("are found with name, address, port and board", async () => {
		const bonjour = await network({ txt });
		const [board] = await findBoards({ timeout: 2000, count: 1, bonjour });
		expect(board).toEqual({
			name: "esp8266-1a2b3c",
			address: otherAddress(),
			port: 8266,
			board: "nodemcuv2",
			password: false,
		});
	});

	test("are listed by name", async () => {
		const bonjour = await network({ name: "b", txt }, { name: "a", txt: { ...txt, auth_upload: "yes" } });
		const boards = await findBoards({ timeout: 2000, count: 2, bonjour });
		expect(boards.map(({ name, password }) => [name, password])).toEqual([
			["a", true],
			["b", false],
		]);
	});

	test("are not other services", async () => {
		const bonjour = await network({ type: "http", txt });
		expect(await findBoards({ timeout: 150, bonjour })).toEqual([]);
	});

	test("that are none end with the time", async () => {
		expect(await findBoards({ timeout: 50, bonjour: await network() })).toEqual([]);
	});
});

describe("a board's records", () => {
	const service = { name: "kitchen", port: 8266, txt };

	test("without an address are answered for by their sender", () => {
		const referer = { address: "192.168.1.7", family: "IPv4", port: 5353, size: 100 } as const;
		expect(boardOf({ ...service, addresses: [], referer })?.address).toBe("192.168.1.7");
	});

	test("with several addresses have IPv4 first", () => {
		expect(boardOf({ ...service, addresses: ["fe80::1", "192.168.1.7"] })?.address).toBe("192.168.1.7");
	});

	test("without TXT are a board without a password", () => {
		const board = boardOf({ name: "x", port: 1, addresses: ["10.0.0.1"] });
		expect(board).toMatchObject({ board: "", password: false });
	});

	test("without anything to reach it by are none", () => {
		expect(boardOf({ ...service, addresses: [] })).toBeUndefined();
	});

	test("cannot send control characters to the terminal", () => {
		expect(boardOf({ ...service, name: "\x1b[2J", addresses: ["10.0.0.1"] })?.name).toBe("?[2J");
	});
});

test("the table has a line for each board", () => {
	const board = { name: "kitchen", address: "10.0.0.1", port: 8266, board: "nodemcuv2", password: true };
	expect(boardTable([board])).toBe(
		"NAME     ADDRESS   PORT  BOARD      PASSWORD\nkitchen  10.0.0.1  8266  nodemcuv2  yes\n",
	);
});
