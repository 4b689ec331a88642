/*
 * What the SDK's linker does with what it has preloaded: functions, classes, built-ins and whatever holds memory
 * outside of slots cannot change; other objects get a number, by which the clone has its own copy once it
 * writes to them. Afterwards no slot refers to a chunk as one that a collection in the clone may move.
 */
#include "engine.h"
#include "host.h"

typedef void (*Visit)(txMachine *the, txSlot *slot);

static void for_each_slot(txMachine *the, Visit visit)
{
	for (txSlot *heap = the->firstHeap; heap; heap = heap->next)
		for (txSlot *slot = heap + 1; slot < heap->value.reference; slot++)
			visit(the, slot);
}

static bool is_function(const txSlot *internal)
{
	switch (internal->kind) {
	case XS_CALLBACK_KIND:
	case XS_CALLBACK_X_KIND:
	case XS_CODE_KIND:
	case XS_CODE_X_KIND:
		return true;
	default:
		return false;
	}
}

static void freeze(txSlot *instance)
{
	for (txSlot *property = instance->next; property; property = property->next) {
		if (property->kind != XS_ACCESSOR_KIND)
			property->flag |= XS_DONT_SET_FLAG;
		property->flag |= XS_DONT_DELETE_FLAG;
	}
	instance->flag |= XS_DONT_PATCH_FLAG;
}

/* Kinds whose content lies in chunks or tables that a copy of the instance would share. */
static bool holds_memory(const txSlot *internal)
{
	switch (internal->kind) {
	case XS_MAP_KIND:
	case XS_SET_KIND:
	case XS_WEAK_MAP_KIND:
	case XS_WEAK_SET_KIND:
	case XS_WEAK_REF_KIND:
	case XS_ARRAY_BUFFER_KIND:
	case XS_DATA_VIEW_KIND:
	case XS_TYPED_ARRAY_KIND:
	case XS_PROMISE_KIND:
	case XS_PROXY_KIND:
	case XS_REGEXP_KIND:
		return true;
	case XS_CLOSURE_KIND:
		return internal->value.closure->kind == XS_FINALIZATION_REGISTRY_KIND;
	default:
		return false;
	}
}

static void freeze_instance(txMachine *the, txSlot *slot)
{
	txSlot *internal = slot->next;
	(void)the;
	if (slot->kind != XS_INSTANCE_KIND || !internal || !(internal->flag & XS_INTERNAL_FLAG))
		return;
	if (internal->ID == XS_ENVIRONMENT_BEHAVIOR || holds_memory(internal))
		freeze(slot);
	if (internal->kind == XS_PROMISE_KIND)
		freeze(internal->next->value.reference);
	if (!is_function(internal))
		return;
	freeze(slot);
	if (!(slot->flag & XS_CAN_CONSTRUCT_FLAG))
		return;
	for (txSlot *property = internal->next; property; property = property->next)
		if (property->ID == mxID(_prototype) && property->kind == XS_REFERENCE_KIND)
			freeze(property->value.reference);
}

static bool is_fixed(const txSlot *property)
{
	return (property->kind == XS_ACCESSOR_KIND || (property->flag & XS_DONT_SET_FLAG))
		&& (property->flag & XS_DONT_DELETE_FLAG);
}

static bool is_frozen(txMachine *the, const txSlot *instance)
{
	const txSlot *property = instance->next;
	if (!(instance->flag & XS_DONT_PATCH_FLAG))
		return false;
	for (; property && (property->flag & XS_INTERNAL_FLAG); property = property->next) {
		if (property->kind != XS_ARRAY_KIND)
			continue;
		for (txIndex i = 0, length = fxGetIndexSize(the, (txSlot *)property); i < length; i++)
			if (!is_fixed(property->value.array.address + i))
				return false;
	}
	for (; property; property = property->next)
		if (!is_fixed(property))
			return false;
	return true;
}

/* Inside a frozen instance, what no property shows is as frozen. */
static void petrify(txSlot *instance)
{
	txSlot *property = instance->next;
	for (; property && (property->flag & XS_INTERNAL_FLAG); property = property->next) {
		switch (property->kind) {
		case XS_ARRAY_BUFFER_KIND:
		case XS_DATE_KIND:
		case XS_MAP_KIND:
		case XS_REGEXP_KIND:
		case XS_SET_KIND:
		case XS_WEAK_MAP_KIND:
		case XS_WEAK_SET_KIND:
			property->flag |= XS_DONT_SET_FLAG;
			break;
		case XS_PRIVATE_KIND:
			for (txSlot *field = property->value.private.first; field; field = field->next) {
				if (field->kind != XS_ACCESSOR_KIND)
					field->flag |= XS_DONT_SET_FLAG;
				field->flag |= XS_DONT_DELETE_FLAG;
			}
			break;
		default:
			break;
		}
	}
}

/* fxShareMachine has numbered from 0, but a copy's number 0 means that there is none. */
static txID alias_count;

static void forget_number(txMachine *the, txSlot *slot)
{
	(void)the;
	if (slot->kind == XS_CLOSURE_KIND && !(slot->value.closure->flag & XS_DONT_SET_FLAG))
		slot->value.closure->ID = XS_NO_ID;
}

static void number_instance(txMachine *the, txSlot *slot)
{
	if (slot->kind != XS_INSTANCE_KIND)
		return;
	if (is_frozen(the, slot)) {
		slot->ID = XS_NO_ID;
		petrify(slot);
	}
	else
		slot->ID = alias_count++;
}

static void number_closure(txMachine *the, txSlot *slot)
{
	txSlot *closure;
	(void)the;
	if (slot->kind != XS_CLOSURE_KIND)
		return;
	closure = slot->value.closure;
	if (closure->kind == XS_REFERENCE_KIND) {
		txSlot *internal = closure->value.reference->next;
		if (internal && is_function(internal))
			closure->flag |= XS_DONT_SET_FLAG;
	}
	if (closure->flag & XS_DONT_SET_FLAG) {
		closure->ID = XS_NO_ID;
		closure->flag |= XS_DONT_DELETE_FLAG;
		return;
	}
	if (closure->ID == XS_NO_ID)
		closure->ID = alias_count++;
	slot->flag &= (txFlag)~XS_DONT_SET_FLAG;
}

static void fix_kind(txSlot *slot)
{
	switch (slot->kind) {
	case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
	case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
	case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
	case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
	default: break;
	}
}

static void fix_chunks(txMachine *the, txSlot *slot)
{
	fix_kind(slot);
	if (slot->kind == XS_ARRAY_KIND && slot->value.array.address)
		for (txIndex i = 0, length = fxGetIndexSize(the, slot); i < length; i++)
			fix_kind(slot->value.array.address + i);
}

/* The engine makes the properties of the global when they are asked for: all of them now, not in flash. */
void freeze_built_ins(txMachine *root)
{
	txMachine *the = root;
	fxBeginHost(the);
	for (txID id = XS_SYMBOL_ID_COUNT; id < XS_INTRINSICS_COUNT; id++)
		mxBehaviorGetProperty(the, mxGlobal.value.reference, mxID(id), 0, XS_ANY);
	fxEndHost(the);
}

void freeze_heap(txMachine *root)
{
	txMachine *the = root;
	for (txSlot *slot = the->stackTop - mxStackIndexCount; slot < the->stackTop; slot++) {
		if (slot->kind == XS_REFERENCE_KIND && slot != &mxGlobal)
			freeze(slot->value.reference);
		fix_kind(slot);
	}
	for_each_slot(the, freeze_instance);
	alias_count = 1;
	for_each_slot(the, forget_number);
	for_each_slot(the, number_instance);
	for_each_slot(the, number_closure);
	for_each_slot(the, fix_chunks);
	the->aliasCount = alias_count;
}
