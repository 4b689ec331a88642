/** Made by the build: the SDK's modules on Node, by their names. */
declare module "virtual:shims" {
	const shims: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
	export default shims;
}
