/** The update form and curl itself, as scripts use it. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FormBench, NEW } from "./form-bench";
import { firmware, md5 } from "./updater-bench";

const PASSWORD = "open sesame";
const SUCCESS = "Update Success! Rebooting...";
const FORM_SUCCESS = `<META http-equiv="refresh" content="15;URL=/">${SUCCESS}`;

const directory = mkdtempSync(join(tmpdir(), "ota8266-curl-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'a "firm;ware".bin');
writeFileSync(file, NEW);
/** More than curl sends without asking first. */
const LARGE = firmware("2.0.0", 1_030_000);
const large = join(directory, "large.bin");
writeFileSync(large, LARGE);
const text = join(directory, "text.bin");
writeFileSync(text, "no image at all");

function curlWorks(): boolean {
	try {
		execFileSync("curl", ["--version"], { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
}

interface Result {
	/** curl's exit code. */
	code: number;
	status: number;
	body: string;
}

/** Runs curl; `{}` in an argument stands for the board's address. */
function curl(bench: FormBench, ...args: string[]): Promise<Result> {
	const given = args.map((arg) => arg.replace("{}", `http://127.0.0.1:${bench.port}`));
	return new Promise((resolve) => {
		execFile("curl", ["-sS", "-w", "\n%{http_code}", ...given], (error, output) => {
			const [, body = "", status = ""] = /^(.*)\n(\d+)$/s.exec(output) ?? [];
			resolve({ code: Number(error?.code ?? 0), status: Number(status), body });
		});
	});
}

function updated(bench: FormBench, version = "2.0.0"): void {
	bench.restart();
	expect(bench.runs()).toBe(version);
}

// In CI nothing is skipped: there what is missing fails.
describe.skipIf(!process.env.CI && !curlWorks())("curl", () => {
	test("-F updates, as the core's documentation has it", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const result = await curl(bench, "-F", `firmware=@"${file.replace(/"/g, '\\"')}"`, "{}/update");
		expect(result).toEqual({ code: 0, status: 200, body: FORM_SUCCESS });
		updated(bench);
	});

	test("-F with the MD5 and other fields updates", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const fields = ["-F", "comment=hello", "-F", `md5=${md5(NEW)}`, "-F", `image=@${large}`];
		expect((await curl(bench, ...fields, "{}/update")).body).toContain("Update error: ERROR[7]: ");
		fields.splice(-1, 1, `image=@"${file.replace(/"/g, '\\"')}"`);
		expect((await curl(bench, ...fields, "{}/update")).body).toBe(FORM_SUCCESS);
		updated(bench);
	});

	test("-T updates", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const result = await curl(bench, "-T", file, "{}/update?kind=firmware");
		expect(result).toEqual({ code: 0, status: 200, body: `${SUCCESS}\n` });
		updated(bench);
	});

	test("-T updates in chunks from a pipe, too", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await curl(bench, "-H", "Transfer-Encoding: chunked", "-T", file, "{}/update")).status).toBe(200);
		updated(bench);
	});

	test("-T of a large image asks first, and updates", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await curl(bench, "-H", "Expect: 100-continue", "-T", large, "{}/update")).status).toBe(200);
		updated(bench);
	});

	test("-f fails where the board refuses, and says why without it", async () => {
		const bench = new FormBench();
		expect((await curl(bench, "-f", "-T", text, "{}/update")).code).toBe(22);
		expect(await curl(bench, "-T", text, "{}/update")).toEqual({
			code: 0,
			status: 422,
			body: "ERROR[10]: Magic byte is not 0xE9\n",
		});
		expect(await curl(bench, "-F", `firmware=@${text}`, "{}/update")).toEqual({
			code: 0,
			status: 200,
			body: "Update error: ERROR[10]: Magic byte is not 0xE9",
		});
	});

	test("that sends a large body to be refused gets the answer, not a reset", async () => {
		const bench = new FormBench();
		for (const expectation of ["Expect:", "Expect: 100-continue"]) {
			const refused = await curl(bench, "-H", expectation, "-T", large, "{}/update?kind=x");
			expect(refused).toMatchObject({ code: 0, status: 400 });
			const wrong = await curl(
				bench,
				"-H",
				expectation,
				"-H",
				`x-MD5: ${md5(NEW)}`,
				"-T",
				large,
				"{}/update",
			);
			expect(wrong).toMatchObject({ code: 0, status: 422 });
		}
	});

	test("-I shows the head of the page", async () => {
		expect(await curl(new FormBench(), "-I", "{}/update")).toMatchObject({ code: 0, status: 200 });
	});

	test("--http1.0 updates", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await curl(bench, "--http1.0", "-T", file, "{}/update")).status).toBe(200);
		updated(bench);
	});

	describe.each([
		["Basic", []],
		["--digest", ["--digest"]],
		["--anyauth", ["--anyauth"]],
	])("with a password (%s)", (_how, options) => {
		const user = ["-u", `admin:${PASSWORD}`, ...options];

		test("-F updates", async () => {
			const bench = new FormBench({ password: PASSWORD, rebootOnSuccess: false });
			const result = await curl(bench, ...user, "-F", `firmware=@${large}`, "{}/update");
			expect(result).toEqual({ code: 0, status: 200, body: FORM_SUCCESS });
			updated(bench);
		});

		test("-T updates", async () => {
			const bench = new FormBench({ password: PASSWORD, rebootOnSuccess: false });
			const result = await curl(bench, ...user, "-T", file, "{}/update?kind=firmware");
			expect(result).toEqual({ code: 0, status: 200, body: `${SUCCESS}\n` });
			updated(bench);
		});
	});

	test("--digest with a user of odd characters updates", async () => {
		const user = 'J"ö\\rg';
		const bench = new FormBench({ password: "pä:ss", user, basic: false, rebootOnSuccess: false });
		const result = await curl(bench, "--digest", "-u", `${user}:pä:ss`, "-T", file, "{}/update");
		expect(result.status).toBe(200);
	});

	test("with a wrong password is refused", async () => {
		const bench = new FormBench({ password: PASSWORD });
		const wrong = ["--anyauth", "-u", "admin:guess", "-T", file, "{}/update"];
		expect(await curl(bench, ...wrong)).toMatchObject({ code: 0, status: 401 });
		expect(bench.told).toEqual([]);
	});

	test("without a password is refused", async () => {
		const bench = new FormBench({ password: PASSWORD });
		expect((await curl(bench, "-T", file, "{}/update")).status).toBe(401);
		expect((await curl(bench, "-F", `firmware=@${large}`, "{}/update")).status).toBe(401);
		expect(bench.told).toEqual([]);
	});
});
