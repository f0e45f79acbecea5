// Identity passes every record through: what a call costs when the plugin does nothing.
#include "../../abi/sdk/c/wasmill.h"

static void pass(const wm_record *r, wm_output *out) { wm_emit(out, r); }

WASMILL_MAP("{\"name\": \"identity\", \"version\": \"1.0.0\", \"kind\": \"map\"}", pass)
