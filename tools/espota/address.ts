import { lookup } from "node:dns/promises";
import { ErrorCode, UpdateError } from "../../ota/errors";

export interface Address {
	address: string;
	/** 4 or 6. */
	family: number;
}

/** The address of a host, given by name or as an address: IPv4 where there is one. Throws UpdateError HOST. */
export async function resolve(host: string): Promise<Address> {
	try {
		return await lookup(host, { verbatim: false });
	} catch {
		throw new UpdateError(ErrorCode.HOST, host);
	}
}

/** Without the prefix that a socket for both families puts before an IPv4 address. */
export function plainAddress(address: string): string {
	return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
