/** `embedded:io/socket/udp`. */
class UDP extends Native("xs_udp_destructor") {
	constructor(options) {
		super();
		native("xs_udp_constructor").call(this, options);
	}
	close() {
		return native("xs_udp_close").call(this);
	}
	read() {
		return native("xs_udp_read").call(this);
	}
	write(buffer, address, port) {
		return native("xs_udp_write").call(this, buffer, address, port);
	}
	get format() {
		return "buffer";
	}
	set format(value) {
		native("xs_udp_set_format").call(this, value);
	}
}

export default UDP;
