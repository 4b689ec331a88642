/** The SDK's module `crypt`, as far as it is used. */
class Digest extends Native("xs_digest_destructor") {
	constructor(type) {
		super();
		native("xs_digest_constructor").call(this, type);
	}
	write(data) {
		return native("xs_digest_write").call(this, data);
	}
	close() {
		return native("xs_digest_close").call(this);
	}
	reset() {
		return native("xs_digest_reset").call(this);
	}
}

export { Digest };
