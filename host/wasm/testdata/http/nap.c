// Nap sleeps for an hour for each record.
#include "../../../../abi/sdk/c/wasmill.h"

static void nap(const wm_record *r, wm_output *out) {
	wm_sleep(3600000000000);
	wm_emit(out, r);
}

WASMILL_MAP("{\"name\": \"nap\", \"kind\": \"map\"}", nap)
