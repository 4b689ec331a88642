/** What the Arduino IDE's discovery sees of a board, asked for by another DNS-SD implementation's eyes. */
import { networkInterfaces } from "node:os";
import { Bonjour, type Service } from "bonjour-service";
import { expect, onTestFinished, test } from "vitest";
import { Advertisement } from "../../ota/advertisement";
import { UpdaterBench } from "./updater-bench";

/** An interface that has multicast; a port of our own, so that other boards in the network do not disturb. */
const address = Object.values(networkInterfaces())
	.flatMap((addresses) => addresses ?? [])
	.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
const mdns = { ...(address !== undefined && { interface: address }), port: 20_000 + (process.pid % 20_000) };

async function advertised(authentication: boolean): Promise<Service> {
	new UpdaterBench({ mdns });
	const advertisement = new Advertisement({
		hostName: "esp8266-abcdef",
		port: 8266,
		board: "nodemcuv2",
		authentication,
	});
	onTestFinished(() => advertisement.close());
	const seeker = new Bonjour({ ...mdns, bind: "0.0.0.0" } as ConstructorParameters<typeof Bonjour>[0]);
	onTestFinished(() => seeker.destroy());
	return new Promise((found) => {
		const browser = seeker.find({ type: "arduino" }, found);
		const again = setInterval(() => browser.update(), 200);
		onTestFinished(() => clearInterval(again));
	});
}

// Multicast needs a network; CI has one, a computer that is offline names what it leaves out.
test.skipIf(address === undefined && !process.env.CI).each([
	[true, "yes"],
	[false, "no"],
])("a board is announced as an Arduino network port (password: %s)", async (authentication, auth_upload) => {
	const service = await advertised(authentication);
	expect(service).toMatchObject({
		fqdn: "esp8266-abcdef._arduino._tcp.local",
		host: "esp8266-abcdef.local",
		port: 8266,
		txt: { tcp_check: "no", ssh_upload: "no", board: "nodemcuv2", auth_upload },
	});
});
