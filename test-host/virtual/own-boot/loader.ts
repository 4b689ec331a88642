/** What the loader's parts share: of one start. */
import type { BootConfig, BootStage } from "../../../tools/image/boot-config";
import type { RomFlash } from "../rom-flash";
import type { Print } from "../uart";
import { Content } from "./content";
import { ImageReader } from "./image";
import { BootRecord } from "./record";
import { Sector } from "./sector";

export class Loader {
	readonly config: BootConfig & BootStage;
	readonly flash: RomFlash;
	readonly print: Print;
	readonly sector: Sector;
	readonly image: ImageReader;
	readonly content: Content;
	readonly record: BootRecord;

	constructor(config: BootConfig & BootStage, flash: RomFlash, print: Print) {
		this.config = config;
		this.flash = flash;
		this.print = print;
		this.sector = new Sector(flash);
		this.image = new ImageReader(this.sector);
		this.content = new Content(flash, this.sector, this.image);
		this.record = new BootRecord(flash, config.record);
	}
}
