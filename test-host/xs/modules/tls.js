/** `embedded:io/socket/tcp/tls`, which this engine does not have: there is no TLS library under it. */
class TLSSocket {
	constructor() {
		throw new Error("TLS is not in this engine");
	}
}

export default TLSSocket;
