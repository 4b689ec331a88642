/* The globals that the SDK adds, and what its engine does otherwise than the one from npm. */
#include "engine.h"
#include "host.h"

static void host_trace(txMachine *the)
{
	for (txInteger i = 0; i < mxArgc; i++) {
		txString text = fxToString(the, mxArgv(i));
		uart_write(text, strlen(text));
	}
}

/* The bytes of an array of bytes, where it can be read, or written too; NULL for anything else. */
static uint8_t *array_bytes(txMachine *the, txSlot *slot, txFlag forbidden, txInteger *length)
{
	txSlot *array = slot->kind == XS_REFERENCE_KIND ? slot->value.reference->next : NULL;
	txSlot *view, *buffer, *data;
	if (!array || array->kind != XS_TYPED_ARRAY_KIND || array->value.typedArray.dispatch->size != 1)
		return NULL;
	view = array->next;
	buffer = view->next;
	data = buffer->value.reference->next;
	if (data->kind != XS_ARRAY_BUFFER_KIND || !data->value.arrayBuffer.address || (data->flag & forbidden))
		return NULL;
	*length = fxGetDataViewSize(the, view, buffer);
	return (uint8_t *)data->value.arrayBuffer.address + view->value.dataView.offset;
}

/*
	TypedArray.prototype.set between arrays of bytes. The SDK's engine copies them as memory (xsDataView.c of 8.2.3); in
	XS 13.3 that is meant too, but arrays are never taken for of the same type, and each byte goes through a getter
	and a setter: 90 instructions, where the device has one or two.
*/
static void host_set(txMachine *the)
{
	txInteger given = 0, room = 0, at = 0;
	uint8_t *to = array_bytes(the, mxThis, XS_DONT_SET_FLAG, &room);
	uint8_t *from = mxArgc > 0 ? array_bytes(the, mxArgv(0), 0, &given) : NULL;
	if (mxArgc > 1)
		at = mxArgv(1)->kind == XS_INTEGER_KIND ? mxArgv(1)->value.integer : -1;
	if (!to || !from || at < 0 || at > room || given > room - at) {
		fx_TypedArray_prototype_set(the);
		return;
	}
	memmove(to + at, from, (size_t)given);
	mxMeterSome((txU4)given * 2);
}

static void replace_set(txMachine *the)
{
	txSlot *set = mxBehaviorGetProperty(the, mxTypedArrayPrototype.value.reference, mxID(_set), 0, XS_OWN);
	mxFunctionInstanceCode(set->value.reference)->value.callback.address = host_set;
}

void globals_install(txMachine *root)
{
	txMachine *the = root;
	txSlot *property;
	fxBeginHost(the);
	mxPush(mxGlobal);
	property = mxBehaviorSetProperty(the, the->stack->value.reference, fxID(the, "trace"), 0, XS_OWN);
	fxNewHostFunction(the, host_trace, 1, fxID(the, "trace"), XS_NO_ID);
	property->flag = XS_DONT_ENUM_FLAG;
	property->kind = the->stack->kind;
	property->value = the->stack->value;
	mxPop();
	mxPop();
	replace_set(the);
	fxEndHost(the);
}
