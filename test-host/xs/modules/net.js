// biome-ignore-all lint/complexity/noThisInStatic: so the method is the native function itself
// biome-ignore-all lint/complexity/noStaticOnlyClass: what the SDK exports
/** The SDK's module `net`, of a chip that has this machine's network and no Wi-Fi. */
class Net {
	static get(property, network) {
		return native("xs_net_get").call(this, property, network);
	}
}

export default Net;
