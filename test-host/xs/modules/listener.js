/** `embedded:io/socket/listener`. */
import TCP from "embedded:io/socket/tcp";

class Listener extends Native("xs_listener_destructor") {
	constructor(options) {
		super();
		native("xs_listener_constructor").call(this, options);
	}
	close() {
		return native("xs_listener_close").call(this);
	}
	read() {
		return readInto.call(this, new TCP());
	}
	get port() {
		return native("xs_listener_get_port").call(this);
	}
	get format() {
		return "socket/tcp";
	}
	set format(value) {
		native("xs_listener_set_format").call(this, value);
	}
}

function readInto(tcp) {
	return native("xs_listener_read").call(this, tcp);
}

export default Listener;
