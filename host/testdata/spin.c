// Never returns.
#include "../../abi/sdk/c/wasmill.h"

static void spin(const wm_record *r, wm_output *out) {
	(void)out;
	for (volatile uint32_t i = 0;; i++) (void)r;
}

WASMILL_MAP("{\"name\": \"spin\", \"kind\": \"map\"}", spin)
