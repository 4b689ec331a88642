/* The globals that the SDK adds and the engine alone does not have. */
#include "engine.h"
#include "host.h"

static void host_trace(txMachine *the)
{
	for (txInteger i = 0; i < mxArgc; i++) {
		txString text = fxToString(the, mxArgv(i));
		uart_write(text, strlen(text));
	}
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
	fxEndHost(the);
}
