import Resource from "Resource";
import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import HTTPClient from "embedded:network/http/client";
import HTTPServer from "embedded:network/http/server";
import { useUpdater } from "embedded:update";
import board from "board";
import config from "mc/config";
// biome-ignore lint/style/useNodejsImportProtocol: the SDK has a module of this name
import Net from "net";
import { ArduinoOTA } from "./ota/arduino-ota";
import type { BootStrategy } from "./ota/boot";
import { bootStrategy } from "./ota/boot-loader";
import { HTTPUpdate } from "./ota/client/http-update";
import { Poller } from "./ota/client/poller";
import { BoundedListener } from "./ota/http/listener";
import { UpdateForm } from "./ota/http/update-form";
import type { UpdateKind } from "./ota/kind";
import { reportOf } from "./ota/report";
import { RunningFirmware } from "./ota/running";
import type { Signatures } from "./ota/signature/signatures";
import { HealthCheck } from "./ota/trial";
import { Updater } from "./ota/updater";
import { judge } from "./ota/verdict";
import { number, signaturesWanted, text } from "./settings";

/** Runs once the network is there. The manifest's `config` holds the settings. */
export default function main(): void {
	// Before all others, since it may end a trial; and outside of the function that names them all, for the stack's sake.
	run(bootStrategy(board, { gzip: config.bootLoaderInflates !== false }), signaturesWanted());
}

function run(boot: BootStrategy, signatures: Signatures | undefined): void {
	const running = new RunningFirmware(boot.applicationOffset);
	const updater = new Updater({
		board,
		running,
		boot,
		signatures,
		atomicFilesystem: config.atomicFilesystem === true,
		onFilesystemAway: () => trace("the filesystem goes away\n"),
		onFilesystemBack: (verified) => trace(`the filesystem is ${verified ? "there" : "damaged"}\n`),
	});
	useUpdater(updater);
	let tenths = 0;

	judge(board, running, (verdict) => {
		updater.last ??= reportOf(verdict);
		trace(`${verdict.text}\n`);
	});

	const told = {
		onStart(kind: UpdateKind) {
			tenths = 0;
			trace(`update of the ${kind} begins\n`);
		},
		onProgress(done: number, total: number) {
			const now = Math.floor((10 * done) / total);
			if (now > tenths) trace(`update ${10 * now} %\n`);
			tenths = now;
		},
		onEnd: (kind: UpdateKind) => trace(`update of the ${kind} verified, restarting\n`),
	};

	new ArduinoOTA({
		updater,
		board,
		port: number(config.otaPort),
		hostName: text(config.hostName),
		password: text(config.otaPassword),
		passwordHash: text(config.otaPasswordHash),
		strongAuthentication: config.strongAuthentication === true,
		timeout: number(config.otaTimeout),
		dnssd: config.dnssd !== false,
		...told,
		onError: (_stage, error) => trace(`update failed: ${error}\n`),
	});

	const form = new UpdateForm({
		updater,
		board,
		running,
		page: new Resource("update.html.gz"),
		path: text(config.httpPath),
		user: text(config.httpUser),
		password: text(config.httpPassword),
		realm: text(config.httpRealm),
		basic: config.httpBasic !== false,
		hostName: text(config.hostName),
		...told,
		onError: (error) => trace(`update failed: ${error}\n`),
	});
	new HTTPServer({
		io: BoundedListener,
		port: number(config.httpPort) ?? 80,
		onConnect: (connection) => connection.accept(form.handlers),
	});

	const source = text(config.updateUrl);
	let isServerReached = source === undefined;
	if (updater.onTrial) {
		new HealthCheck({
			updater,
			board,
			conditions: {
				"Wi-Fi joined": () => Net.get("IP") !== undefined,
				"server reached": () => isServerReached,
			},
			freeHeap: number(config.trialFreeHeap) ?? 4096,
			deadline: number(config.trialDeadline),
			onConfirmed: () => trace("firmware confirmed\n"),
			onFailed: (condition) => trace(`firmware not confirmed, rolled back: ${condition}\n`),
			onError: (error) => trace(`firmware on trial: ${error}\n`),
		});
	}
	if (source) {
		const client = new HTTPUpdate({
			updater,
			board,
			running,
			http: {
				io: HTTPClient,
				dns: { io: Resolver, servers: Net.get("DNS"), socket: { io: UDP } },
				socket: { io: TCP },
			},
			user: text(config.updateUser),
			password: text(config.updatePassword),
			token: text(config.updateToken),
			...told,
			onEnd: (kind: UpdateKind) => trace(`update of the ${kind} verified\n`),
		});
		new Poller({
			client,
			source,
			version: text(config.version),
			interval: number(config.updateInterval) ?? 3600,
			first: number(config.updateFirst),
			onOutcome({ result, error }, next) {
				isServerReached ||= result !== "failed";
				const why = error ? `: ${error}` : "";
				const then = result === "updated" ? "restarting" : `next in ${next | 0} s`;
				trace(`update check: ${result}${why}, ${then}\n`);
			},
		});
	}
	trace(`${config.name} ${config.version} ready\n`);
}
