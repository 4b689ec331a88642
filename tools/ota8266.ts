#!/usr/bin/env node
/** The command `ota8266`. */
import { run } from "./program";

process.exitCode = await run(process.argv.slice(2));
