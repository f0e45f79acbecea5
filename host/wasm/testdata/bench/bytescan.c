// Counts commas, a byte at a time: the tightest loop there is.
#include "../../../../abi/sdk/c/wasmill.h"

static uint32_t commas;

static void scan(const wm_record *r, wm_output *out) {
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->value.length; i++) n += r->value.at[i] == ',';
	commas += n;
	if (commas != 0xffffffff) wm_emit(out, r);
}

WASMILL_MAP("{\"name\": \"bytescan\", \"kind\": \"map\"}", scan)
