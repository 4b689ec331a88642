/** `embedded:storage/key-value`. */
class Storage extends Native("xs_key_value_destructor") {
	constructor(options) {
		super();
		native("xs_key_value_open").call(this, options);
	}
	close() {
		return native("xs_key_value_close").call(this);
	}
	read(key) {
		return native("xs_key_value_read").call(this, key);
	}
	write(key, value) {
		return native("xs_key_value_write").call(this, key, value);
	}
	delete(key) {
		return native("xs_key_value_delete").call(this, key);
	}
	get format() {
		return "buffer";
	}
}

export default Object.freeze({
	open(options) {
		return new Storage(options);
	},
});
