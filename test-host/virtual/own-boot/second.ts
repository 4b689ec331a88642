/** The second stage: what is intended is carried out, what is on trial is counted (boot/second.c). */

import { RecordFlag, RecordState } from "../../../ota/boot-record/header";
import { ACTION_COPY_RAW, ACTION_LOAD_APP, type EbootCommand } from "../../../ota/eboot";
import { APPLICATION_OFFSET, SECTOR } from "../../../ota/image";
import { printf } from "../uart";
import { install, isResult, take } from "./install";
import type { Loader } from "./loader";
import { isBefore, restore, wayBack } from "./restore";

/** Of the application: "OTA8", the format's version in 16 bits, flags in 16 bits. */
const DESCRIPTOR = APPLICATION_OFFSET + 0x20;
const DESCRIPTOR_MAGIC = 0x3841544f;
const CONFIRMS = 0x00010001;
const CONFIRMS_MASK = 0x0001ffff;
const descriptor = new Uint32Array(2);
const descriptorBytes = new Uint8Array(descriptor.buffer);

function isPending({ record }: Loader): boolean {
	return (
		record.exists &&
		(record.header.flags & RecordFlag.ONLY_RESTORE) === 0 &&
		!record.is(RecordState.REFUSED) &&
		!record.is(RecordState.INSTALLED) &&
		!record.is(RecordState.RESTORE)
	);
}

/** A flag of the application's descriptor (SPEC.md, section 1) says so: what cannot is never on trial. */
function canConfirm({ flash }: Loader): boolean {
	flash.readInto(DESCRIPTOR, descriptorBytes);
	const [magic = 0, flags = 0] = descriptor;
	return magic === DESCRIPTOR_MAGIC && (flags & CONFIRMS_MASK) === CONFIRMS;
}

function isOnTrial(loader: Loader): boolean {
	const { record } = loader;
	return (
		(record.header.flags & RecordFlag.TRIAL) !== 0 &&
		record.header.destination === 0 &&
		record.is(RecordState.KEPT) &&
		record.is(RecordState.INSTALLED) &&
		!record.is(RecordState.CONFIRMED) &&
		!record.is(RecordState.RESTORE) &&
		canConfirm(loader)
	);
}

/** Whether the application's place holds something of one piece, as far as the record knows. */
function isTrusted(loader: Loader): boolean {
	const { record } = loader;
	const isInstalling =
		record.header.destination === 0 &&
		(record.header.flags & RecordFlag.ONLY_RESTORE) === 0 &&
		record.is(RecordState.BEGUN) &&
		!record.is(RecordState.INSTALLED) &&
		!record.is(RecordState.REFUSED);
	const isHalf = isInstalling || record.is(RecordState.RESTORING);
	return record.is(RecordState.RESTORED) || !isHalf || isBefore(loader) || isResult(loader);
}

function hasApplication(loader: Loader): boolean {
	const { config, image } = loader;
	return isTrusted(loader) && image.verify(APPLICATION_OFFSET, config.applicationEnd) > 0;
}

function act(loader: Loader, command: EbootCommand | undefined): void {
	// Not over what is on trial, nor while there is something to be taken up.
	const isToldToCopy = command?.action === ACTION_COPY_RAW && !isOnTrial(loader) && isTrusted(loader);
	const { print } = loader;
	if (isPending(loader)) {
		printf(print, "cp:");
		printf(print, `${install(loader, false)}\n`);
	} else if (isToldToCopy) {
		printf(print, "cp:");
		printf(print, `${take(loader, command)}\n`);
	}
}

/** Carries out what is intended; gives the flash offset of the image to start, 0 where there is none. */
export function second(loader: Loader, command: EbootCommand | undefined): number {
	const { config, image, record } = loader;
	record.read();
	act(loader, command);
	let address = APPLICATION_OFFSET;
	if (command?.action === ACTION_LOAD_APP) address = (address + command.source) >>> 0;
	if (isOnTrial(loader) && record.startsUsed >= record.header.starts) {
		record.set(isResult(loader) ? RecordState.RESTORE : RecordState.CONFIRMED);
	}
	const isToRestore = record.is(RecordState.RESTORE) || (record.header.flags & RecordFlag.ONLY_RESTORE) !== 0;
	if (isToRestore && !record.is(RecordState.RESTORED)) restore(loader);
	const isOther = address !== APPLICATION_OFFSET && address % SECTOR === 0;
	if (!isOther || image.verify(address, config.flashSize) === 0) {
		address = APPLICATION_OFFSET;
		if (!hasApplication(loader)) {
			wayBack(loader);
			if (!hasApplication(loader)) return 0;
		}
	}
	if (isOnTrial(loader)) record.useStart();
	return address;
}
