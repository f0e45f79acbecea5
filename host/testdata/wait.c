// Waits as long as a service would that is slow now and then: one record in a
// hundred takes 500 ms, the others 1 ms.
#include "../../abi/sdk/c/wasmill.h"

static void wait(const wm_record *r, wm_output *out) {
	wm_sleep(r->value.at[0] == '1' ? 500000000 : 1000000);
	wm_emit(out, r);
}

WASMILL_MAP("{\"name\": \"wait\", \"kind\": \"map\"}", wait)
