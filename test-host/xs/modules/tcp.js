/** `embedded:io/socket/tcp`. Without options it is empty: Listener gives it a connection. */
class TCP extends Native("xs_tcp_destructor") {
	constructor(options) {
		super();
		native("xs_tcp_constructor").call(this, options);
	}
	close() {
		return native("xs_tcp_close").call(this);
	}
	read() {
		return native("xs_tcp_read").call(this);
	}
	write(data) {
		return native("xs_tcp_write").call(this, data);
	}
	get remoteAddress() {
		return native("xs_tcp_get_remoteAddress").call(this);
	}
	get remotePort() {
		return native("xs_tcp_get_remotePort").call(this);
	}
	get format() {
		return native("xs_tcp_get_format").call(this);
	}
	set format(value) {
		native("xs_tcp_set_format").call(this, value);
	}
}

export default TCP;
