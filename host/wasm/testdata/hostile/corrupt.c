// Overwrites all of its own memory, input arena and stack included, and answers.
#include "../../../../abi/sdk/c/wasmill.h"

static void corrupt(const wm_record *r, wm_output *out) {
	wm_emit(out, r);
	uint32_t pages = __builtin_wasm_memory_size(0);
	for (volatile uint8_t *p = (uint8_t *)1024; (uint32_t)p < (pages << 16); p++) *p = 0xa5;
}

WASMILL_MAP("{\"name\": \"corrupt\", \"kind\": \"map\"}", corrupt)
