import { resolve } from "node:path";
import { Command, Option } from "commander";
import { elfOptions } from "./elf-input";
import { USUAL_LAYOUT } from "./layouts";
import { boardID, flashSize, flashSizes, versionCounter } from "./option-values";
import { type ImageFlags, packImage } from "./pack-image";
import { packSlots } from "./pack-slots";

interface PackFlags extends ImageFlags {
	in?: string;
	upgrade?: boolean;
	partitions?: string;
	eboot?: string;
}

/** What a file for slots has no place for. */
const NOT_FOR_SLOTS = [
	"gzip",
	"sign",
	"legacy",
	"versionCounter",
	"board",
	"flashSize",
	"filesystem",
	"force",
];

const EXAMPLES = `
Examples:
  $ ota8266 pack --elf main.elf --flash-mode dio --flash-freq 40 --layout nodemcu-4m --out firmware.bin
  $ ota8266 pack --elf main.elf --bootloader eboot.elf --flash-size 4M --out firmware.bin
  $ ota8266 pack --in firmware.bin --gzip=best --out firmware.bin.gz
  $ ota8266 pack --in firmware.bin --gzip --sign private.key --version-counter 7 --out firmware.bin.gz.signed
  $ ota8266 pack --in littlefs.bin --filesystem --gzip --sign private.key --out littlefs.bin.gz.signed
  $ ota8266 pack --partitions partitions/two-slots-4m.csv --bootloader bootloader.bin --in lamp.bin --out flash.bin
  $ ota8266 pack --upgrade --partitions two-slots.csv --bootloader bootloader.bin --in lamp.bin --out lamp.v2_to_v3.ota.bin

Exit code: 0 packed, 1 not packed, 2 wrong usage.`;

export function packCommand(): Command {
	const command: Command = new Command("pack");
	command
		.description("compress an image, say what it is for, and sign it")
		.option("--in <file>", "the image as it was built")
		.addOption(
			new Option("--elf <file>", "or the program as it was linked").conflicts([
				"in",
				"filesystem",
				"partitions",
				"upgrade",
				"eboot",
			]),
		)
		.requiredOption("--out <file>", "where to")
		.addOption(
			new Option(
				"--gzip [best]",
				"compress; best takes seconds (zopfli) and saves some percent more",
			).choices(["best"]),
		)
		.option("--sign <key>", "private key in PEM: RSA of 2048 to 4096 bits, or P-256")
		.option("--legacy", "sign in the old way, for boards with an Arduino core up to 2.5.2")
		.option(
			"--version-counter <number>",
			"claim: boards that look at it take no smaller one later",
			versionCounter,
		)
		.option("--board <id>", "claim: for this board only", boardID)
		.option(
			"--flash-size <size>",
			`claim: for this flash only, ${[...flashSizes.keys()].join(", ")}; with --elf what it is for`,
			flashSize,
		)
		.option(
			"--filesystem",
			"the image is a filesystem; compressed it is for boards that update it atomically",
		)
		.option("--force", "pack what looks damaged")
		.addOption(
			new Option(
				"--partitions <file>",
				"for slots: boot loader, this table (a CSV or its bytes) and the application, from flash 0 on",
			).conflicts(NOT_FOR_SLOTS),
		)
		.option(
			"--bootloader <file>",
			"for slots: the one that reads partition tables, bootloader.bin; with --elf: eboot.elf of an Arduino core (default: our own)",
		)
		.option(
			"--layout <name>",
			`with --elf: how the flash is shared out, one of partitions/ (default: by --flash-size, ${USUAL_LAYOUT})`,
		)
		.option("--upgrade", "for slots, over the air: from flash 0x1000 on, as v2_to_v3.ota.bin")
		.option(
			"--eboot <file>",
			"of an upgrade, for a board with eboot: that, or a firmware that has it, in front",
		)
		.addHelpText("after", EXAMPLES)
		.action(async (flags: PackFlags) => {
			if (flags.legacy && flags.sign === undefined) command.error("error: --legacy wants --sign");
			const { upgrade, bootloader, partitions, eboot, elf } = flags;
			const file = flags.in ?? elf;
			if (file === undefined) command.error("error: give the image to --in, or the program to --elf");
			if (resolve(flags.out) === resolve(file)) {
				command.error(`error: --out would overwrite ${elf === undefined ? "--in" : "--elf"}`);
			}
			if (eboot !== undefined && !upgrade) command.error("error: --eboot wants --upgrade");
			if (elf !== undefined) return packImage(file, flags);
			if (flags.flashMode !== undefined || flags.flashFreq !== undefined) {
				command.error("error: --flash-mode and --flash-freq want --elf");
			}
			if (flags.layout !== undefined) command.error("error: --layout wants --elf");
			if (partitions === undefined && bootloader === undefined && !upgrade) return packImage(file, flags);
			if (partitions === undefined || bootloader === undefined) {
				command.error("error: for slots give both --partitions and --bootloader");
			}
			return packSlots({ ...flags, in: file, bootloader, partitions });
		});
	for (const option of elfOptions) command.addOption(option);
	return command;
}
