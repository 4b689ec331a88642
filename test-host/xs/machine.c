/* The machines: a root that is made and frozen as flash is, and the application's, a clone of it. */
#include "engine.h"
#include "host.h"

/* What compiles and preloads on a developer's computer has memory enough. */
static txCreation root_creation = {
	.initialChunkSize = 8 * 1024 * 1024,
	.incrementalChunkSize = 1024 * 1024,
	.initialHeapCount = 256 * 1024,
	.incrementalHeapCount = 64 * 1024,
	.stackCount = 8192,
	.initialKeyCount = 8192,
	.nameModulo = 1993,
	.symbolModulo = 127,
	.parserBufferSize = 32 * 1024,
	.parserTableModulo = 1993,
};

/* The SDK's defaults for the ESP8266; a manifest may have another stack. The tables of names lie outside of the block, there as here. */
static txCreation device_creation = {
	.initialChunkSize = 1536,
	.incrementalChunkSize = 512,
	.initialHeapCount = 512,
	.incrementalHeapCount = 64,
	.stackCount = 256,
	.initialKeyCount = 256,
	.nameModulo = 1993,
	.symbolModulo = 127,
	.parserBufferSize = 1024,
	.parserTableModulo = 1,
};

static txMachine *make_root(void)
{
	txMachine *root = fxCreateMachine(&root_creation, "root", &flash_memory, XS_NO_ID);
	if (!root)
		host_usage("no memory");
	globals_install(root);
	application_compile(root);
	application_preload(root);
	freeze_built_ins(root);
	fxShareMachine(root);
	freeze_heap(root);
	memory_protect();
	return root;
}

/* The default export of `main`, a function, runs as the SDK runs it. */
static void run_main(void *of)
{
	txMachine *machine_of = of;
	xsBeginHost(machine_of);
	{
		xsResult = xsAwaitImport("main", XS_IMPORT_DEFAULT);
		if (fxIsCallable(the, &xsResult))
			xsCallFunction0(xsResult, xsGlobal);
	}
	xsEndHost(machine_of);
}

txMachine *machine_begin(int stack)
{
	txMachine *machine;
	if (stack > 0)
		device_creation.stackCount = stack;
	machine = fxCloneMachine(&device_creation, make_root(), "device", &block);
	if (!machine)
		host_usage("no memory");
	loop_post(run_main, machine);
	return machine;
}
