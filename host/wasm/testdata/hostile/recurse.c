// Two functions that call each other for ever, in a way that is no loop.
#include "../../../../abi/sdk/c/wasmill.h"

volatile uint32_t depth;
static uint32_t odd(uint32_t n);
__attribute__((noinline)) static uint32_t even(uint32_t n) { return depth++ ? odd(n + 1) + 1 : n; }
__attribute__((noinline)) static uint32_t odd(uint32_t n) { return depth++ ? even(n + 1) * 3 : n; }

static void recurse(const wm_record *r, wm_output *out) {
	depth = 1;
	if (even(1)) wm_emit(out, r);
}

WASMILL_MAP("{\"name\": \"recurse\", \"kind\": \"map\"}", recurse)
