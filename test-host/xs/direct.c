/*
 * The newer SDK's spelling of native functions, for an engine that knows the older one. As the SDK's compiler
 * does it, a method that does nothing but pass its arguments on becomes the native function itself:
 *   read(a) { return native("xs_read").call(this, a); }          read(a) @ "xs_read"
 *   class X extends Native("xs_end") {                           class X @ "xs_end" {
 *     constructor(o) { super(); native("xs_x").call(this, o); }    constructor(o) @ "xs_x"
 * Anywhere else native("xs_x") is a constant of the module, and Native("xs_end") a class without a constructor.
 */
#include "engine.h"
#include "host.h"

typedef struct {
	char *text;
	size_t length;
	size_t size;
} Text;

static void append(Text *text, const char *from, size_t length)
{
	if (text->length + length + 1 > text->size) {
		text->size = 2 * (text->length + length + 1);
		text->text = realloc(text->text, text->size);
		if (!text->text)
			host_usage("no memory");
	}
	memcpy(text->text + text->length, from, length);
	text->length += length;
	text->text[text->length] = 0;
}

static void append_text(Text *text, const char *from)
{
	append(text, from, strlen(from));
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static const char *skip_space(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* Where the text before `end` ends without white space. */
static size_t trim(const Text *text, size_t end)
{
	while (end > 0 && isspace((unsigned char)text->text[end - 1]))
		end--;
	return end;
}

/* Where `word` begins when the text before `end` ends with it, or `end` + 1. */
static size_t before(const Text *text, size_t end, const char *word)
{
	size_t length = strlen(word);
	end = trim(text, end);
	if (end < length || memcmp(text->text + end - length, word, length))
		return end + 1;
	if (is_name(word[0]) && end > length && is_name(text->text[end - length - 1]))
		return end + 1;
	return end - length;
}

static bool same_arguments(const char *a, const char *a_end, const char *b, const char *b_end)
{
	for (;;) {
		while (a < a_end && isspace((unsigned char)*a))
			a++;
		while (b < b_end && isspace((unsigned char)*b))
			b++;
		if (a == a_end || b == b_end)
			return a == a_end && b == b_end;
		if (*a != *b || (!is_name(*a) && *a != ','))
			return false;
		a++;
		b++;
	}
}

/* A class that extends Native and whose constructor may still turn out to be native. */
typedef struct {
	size_t begin;
	size_t end;
	char name[128];
	bool open;
} Heritage;

/*
 * Behind `native("name")`, at `rest`: turns the method around it into the native function. Gives what follows the
 * method, or NULL where it does more than that.
 */
static const char *method(Text *out, Heritage *heritage, const char *name, const char *rest)
{
	const char *arguments, *arguments_end;
	size_t brace, close, open, at;
	bool constructor = false;
	rest = skip_space(rest);
	if (strncmp(rest, ".call(", 6))
		return NULL;
	rest = skip_space(rest + 6);
	if (strncmp(rest, "this", 4) || is_name(rest[4]))
		return NULL;
	arguments = skip_space(rest + 4);
	if (*arguments == ',')
		arguments++;
	for (arguments_end = arguments; *arguments_end && *arguments_end != ')'; arguments_end++)
		if (*arguments_end == '(')
			return NULL;
	if (!*arguments_end)
		return NULL;
	rest = skip_space(arguments_end + 1);
	if (*rest == ';')
		rest = skip_space(rest + 1);
	if (*rest != '}')
		return NULL;

	brace = trim(out, out->length);
	at = before(out, brace, "return");
	if (at <= brace)
		brace = trim(out, at);
	else {
		/* A minifier makes one expression of the two. */
		size_t comma = before(out, brace, "super(),");
		at = before(out, brace, "super();");
		if (comma < at)
			at = comma;
		if (at <= brace) {
			constructor = true;
			brace = trim(out, at);
		}
	}
	if (brace == 0 || out->text[brace - 1] != '{')
		return NULL;
	close = trim(out, brace - 1);
	if (close == 0 || out->text[close - 1] != ')')
		return NULL;
	for (open = close - 1; open > 0 && out->text[open - 1] != '('; open--)
		if (out->text[open - 1] == ')')
			return NULL;
	if (!same_arguments(out->text + open, out->text + close - 1, arguments, arguments_end))
		return NULL;
	if (constructor) {
		if (!heritage->open || before(out, open - 1, "constructor") >= open)
			return NULL;
	}
	out->length = close;
	append_text(out, "@\"");
	append_text(out, name);
	append_text(out, "\" ");
	if (constructor) {
		Text tail = { 0 };
		append_text(&tail, out->text + heritage->end);
		out->length = heritage->begin;
		append_text(out, "@\"");
		append_text(out, heritage->name);
		append_text(out, "\"");
		append_text(out, tail.text);
		free(tail.text);
		heritage->open = false;
	}
	return rest + 1;
}

char *direct_natives(const char *source)
{
	Text head = { 0 }, out = { 0 };
	Heritage heritage = { 0 };
	const char *at = source;
	append_text(&head, "");
	append_text(&out, "");
	while (*at) {
		bool is_class = !strncmp(at, "Native(", 7);
		char name[128], constant[320];
		const char *end, *rest;
		if ((!is_class && strncmp(at, "native(", 7)) || (at > source && is_name(at[-1]))
			|| (at[7] != '"' && at[7] != '\'') || !(end = strchr(at + 8, at[7])) || end[1] != ')'
			|| (size_t)(end - at - 8) >= sizeof(name)) {
			append(&out, at++, 1);
			continue;
		}
		memcpy(name, at + 8, (size_t)(end - at - 8));
		name[end - at - 8] = 0;
		rest = end + 2;
		if (is_class) {
			size_t begin = before(&out, out.length, "extends");
			heritage.open = begin <= out.length;
			heritage.begin = begin;
			append_text(&out, "class @\"");
			append_text(&out, name);
			append_text(&out, "\"{}");
			heritage.end = out.length;
			strcpy(heritage.name, name);
			at = rest;
			continue;
		}
		at = method(&out, &heritage, name, rest);
		if (at)
			continue;
		at = rest;
		/* By itself @ "xs_x" would be an object: a method is a function. */
		snprintf(constant, sizeof(constant), "const $%s={f()@\"%s\"}.f;", name, name);
		if (!strstr(head.text, constant))
			append_text(&head, constant);
		append_text(&out, "$");
		append_text(&out, name);
	}
	append(&head, out.text, out.length);
	free(out.text);
	return head.text;
}
