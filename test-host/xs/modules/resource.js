// biome-ignore-all lint/complexity/noThisInStatic: so the method is the native function itself
/** The SDK's module `Resource`. */
class Resource extends Native("xs_resource_destructor") {
	constructor(path) {
		super();
		native("xs_resource_constructor").call(this, path);
	}
	static exists(path) {
		return native("xs_resource_exists").call(this, path);
	}
	get byteLength() {
		return native("xs_resource_get_byteLength").call(this);
	}
	slice(begin, end) {
		return native("xs_resource_slice").call(this, begin, end);
	}
}

export default Resource;
