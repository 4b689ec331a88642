/*
 * The application's modules and resources. The container has for each: flags (1 byte), the lengths of name
 * (2 bytes) and content (4 bytes), little-endian, then both; names and the source of modules are UTF-8.
 */
#include "engine.h"
#include "host.h"

#define MODULES_MAX 256
#define NATIVES_MAX 64
#define RESOURCES_MAX 32

/* Flags: a module to be preloaded; no module but a resource. */
#define PRELOAD 1
#define RESOURCE 2

typedef struct {
	char *name;
	char *source;
	bool preload;
	txScript script;
	txHostFunctionBuilder natives[NATIVES_MAX];
	int native_count;
} Module;

static Module modules[MODULES_MAX];
static int module_count;

/* In flash memory, as a device has them. */
static struct {
	char *name;
	uint8_t *bytes;
	uint32_t size;
} resources[RESOURCES_MAX];
static int resource_count;

/* The one whose script the engine is about to begin. */
static Module *beginning;

static Module *find(const char *name)
{
	for (int i = 0; i < module_count; i++)
		if (!strcmp(modules[i].name, name))
			return &modules[i];
	return NULL;
}

static void add(char *name, char *source, bool preload)
{
	if (module_count == MODULES_MAX)
		host_usage("more than %d modules", MODULES_MAX);
	modules[module_count++] = (Module){ .name = name, .source = source, .preload = preload };
}

static char *take_text(FILE *file, size_t length)
{
	char *text = malloc(length + 1);
	if (!text || fread(text, 1, length, file) != length)
		host_usage("the application is cut short");
	text[length] = 0;
	return text;
}

static void add_resource(FILE *file, char *name, size_t length)
{
	uint8_t *bytes = memory_take(length);
	if (resource_count == RESOURCES_MAX)
		host_usage("more than %d resources", RESOURCES_MAX);
	if (fread(bytes, 1, length, file) != length)
		host_usage("the application is cut short");
	resources[resource_count].name = name;
	resources[resource_count].bytes = bytes;
	resources[resource_count++].size = (uint32_t)length;
}

const uint8_t *application_resource(const char *name, uint32_t *size)
{
	for (int i = 0; i < resource_count; i++) {
		if (strcmp(resources[i].name, name))
			continue;
		*size = resources[i].size;
		return resources[i].bytes;
	}
	return NULL;
}

void application_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t head[7];
	if (!file)
		host_usage("%s: %s", path, strerror(errno));
	while (fread(head, 1, sizeof(head), file) == sizeof(head)) {
		size_t name_length = head[1] | (size_t)head[2] << 8;
		size_t length = head[3] | (size_t)head[4] << 8 | (size_t)head[5] << 16 | (size_t)head[6] << 24;
		char *name = take_text(file, name_length);
		if (head[0] & RESOURCE)
			add_resource(file, name, length);
		else
			add(name, take_text(file, length), head[0] & PRELOAD);
	}
	fclose(file);
	if (!find("main"))
		host_usage("the application has no module main");
	for (int i = 0; i < host_module_count; i++)
		if (!find(host_modules[i].name))
			add((char *)host_modules[i].name, (char *)host_modules[i].source, true);
}

static const Native *native_of(const char *name)
{
	for (int i = 0; i < host_native_count; i++)
		if (!strcmp(host_natives[i].name, name))
			return &host_natives[i];
	host_usage("no C function %s", name);
}

/* The functions that the module's source names with @, in the engine's order. */
static void link_natives(Module *module, const txID *ids)
{
	txByte *at = module->script.hostsBuffer;
	txID count;
	if (!at)
		return;
	mxDecodeID(at, count);
	if (count > NATIVES_MAX)
		host_usage("module %s has more than %d natives", module->name, NATIVES_MAX);
	for (txID i = 0; i < count; i++) {
		txHostFunctionBuilder *builder = &module->natives[i];
		txID id;
		builder->length = *at++;
		mxDecodeID(at, id);
		builder->id = ids[id];
		builder->callback = (txCallback)native_of((char *)at)->function;
		at += strlen((char *)at) + 1;
	}
	module->native_count = (int)count;
}

/* Code and strings of archived scripts stay where they are: in flash. */
static void archive(txByte *at, txSize size)
{
	txByte *end = at + size;
	while (at < end) {
		txU1 *code = (txU1 *)at;
		txS1 step = gxCodeSizes[*code];
		switch (*code) {
		case XS_CODE_CODE_1: *code = XS_CODE_CODE_ARCHIVE_1; break;
		case XS_CODE_CODE_2: *code = XS_CODE_CODE_ARCHIVE_2; break;
		case XS_CODE_CODE_4: *code = XS_CODE_CODE_ARCHIVE_4; break;
		case XS_CODE_STRING_1: *code = XS_CODE_STRING_ARCHIVE_1; break;
		case XS_CODE_STRING_2: *code = XS_CODE_STRING_ARCHIVE_2; break;
		case XS_CODE_STRING_4: *code = XS_CODE_STRING_ARCHIVE_4; break;
		default: break;
		}
		if (step > 0)
			at += step;
		else if (step == 0)
			at += 1 + sizeof(txID);
		else {
			/* A length of 1, 2 or 4 bytes, and so many bytes. */
			txU4 length = 0;
			memcpy(&length, at + 1, (size_t)-step);
			at += 1 - step + (txSize)length;
		}
	}
}

extern void fxRemapIDs(txMachine *the, txByte *code, txSize size, txID *ids);

static void begin_script(txMachine *the)
{
	fxBuildHosts(the, beginning->native_count, beginning->natives);
	mxPullSlot(mxResult);
}

static void compile(txMachine *the, Module *module)
{
	char *source = direct_natives(module->source);
	txStringCStream stream = { .buffer = source, .offset = 0, .size = (txSize)strlen(source) };
	txScript *script = fxParseScript(the, &stream, fxStringCGetter, mxCFlag);
	txByte *symbols = script->symbolsBuffer;
	txID count, *ids;
	mxDecodeID(symbols, count);
	ids = calloc(count, sizeof(txID));
	for (txID i = 1; i < count; i++) {
		ids[i] = fxNewNameC(the, (txString)symbols);
		symbols += strlen((char *)symbols) + 1;
	}
	fxRemapIDs(the, script->codeBuffer, script->codeSize, ids);
	archive(script->codeBuffer, script->codeSize);
	module->script.codeBuffer = memory_take((size_t)script->codeSize);
	module->script.codeSize = script->codeSize;
	memcpy(module->script.codeBuffer, script->codeBuffer, (size_t)script->codeSize);
	module->script.hostsBuffer = script->hostsBuffer;
	link_natives(module, ids);
	module->script.hostsBuffer = NULL;
	module->script.callback = module->native_count > 0 ? begin_script : NULL;
	module->script.path = module->name;
	module->script.version[0] = XS_MAJOR_VERSION;
	module->script.version[1] = XS_MINOR_VERSION;
	module->script.version[2] = XS_PATCH_VERSION;
	free(ids);
	free(source);
	fxDeleteScript(script);
}

void application_compile(txMachine *root)
{
	txMachine *the = root;
	fxBeginHost(the);
	for (int i = 0; i < module_count; i++) {
		fxNewNameC(the, modules[i].name);
		compile(the, &modules[i]);
	}
	for (int i = 0; i < host_id_count; i++)
		host_ids[i] = fxNewNameC(the, (txString)host_id_names[i]);
	fxEndHost(the);
}

static bool jobs_wait;
static bool preloading = true;

static void run_jobs(void *of)
{
	application_jobs(of);
}

void fxQueuePromiseJobs(txMachine *the)
{
	jobs_wait = true;
	if (!preloading)
		loop_post(run_jobs, the);
}

void application_jobs(txMachine *the)
{
	while (jobs_wait) {
		jobs_wait = false;
		fxRunPromiseJobs(the);
	}
}

static void preload(txMachine *root, Module *module)
{
	xsBeginHost(root);
	xsResult = xsAwaitImport(module->name, XS_IMPORT_NAMESPACE);
	xsEndHost(root);
}

void application_preload(txMachine *root)
{
	for (int i = 0; i < module_count; i++) {
		if (!modules[i].preload)
			continue;
		preload(root, &modules[i]);
		application_jobs(root);
	}
	preloading = false;
}

static void strip_extension(char *name)
{
	char *slash = strrchr(name, '/');
	char *dot = strrchr(slash ? slash : name, '.');
	if (dot && (!strcmp(dot, ".js") || !strcmp(dot, ".mjs")))
		*dot = 0;
}

/* A name, or a path from the folder of the module that imports. */
txID fxFindModule(txMachine *the, txSlot *realm, txID importer, txSlot *specifier)
{
	char name[256], path[512];
	char *rest = name;
	(void)realm;
	fxToStringBuffer(the, specifier, name, sizeof(name));
	strip_extension(name);
	path[0] = 0;
	if (name[0] == '.') {
		char *slash;
		if (importer == XS_NO_ID)
			return XS_NO_ID;
		snprintf(path, sizeof(path), "/%s", fxGetKeyName(the, importer));
		*strrchr(path, '/') = 0;
		for (;;) {
			if (!strncmp(rest, "./", 2))
				rest += 2;
			else if (!strncmp(rest, "../", 3)) {
				slash = strrchr(path, '/');
				if (!slash)
					return XS_NO_ID;
				*slash = 0;
				rest += 3;
			}
			else
				break;
		}
		strcat(path, "/");
	}
	strcat(path, rest);
	rest = name[0] == '.' ? path + 1 : path;
	return find(rest) ? fxNewNameC(the, rest) : XS_NO_ID;
}

void fxLoadModule(txMachine *the, txSlot *slot, txID id)
{
	Module *module = find(fxGetKeyName(the, id));
	if (!module)
		return;
	beginning = module;
	fxResolveModule(the, slot, id, &module->script, NULL, NULL);
}
