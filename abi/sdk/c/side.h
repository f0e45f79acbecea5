// Side inputs for C guests: this file beside wasmill.h. Write scale.c, which multiplies numbers
// by one that a file or an edge of the pipeline gives:
//
//	#include "side.h"
//
//	static wm_side factor = WM_SIDE("factor");
//	static uint64_t times = 1;
//
//	static uint32_t number(wm_bytes b, uint64_t *n) {
//		uint32_t digits = 0;
//		for (*n = 0; digits < b.length && b.at[digits] >= '0' && b.at[digits] <= '9'; digits++)
//			*n = *n * 10 + b.at[digits] - '0';
//		return digits;
//	}
//
//	static void scale(const wm_record *r, wm_output *out) {
//		uint64_t n;
//		if (wm_side_changed(&factor)) number(factor.value, &times);
//		if (!number(r->value, &n)) return wm_fail(out, WM_LITERAL("not a number"));
//		char *end = (char *)wm_alloc(24) + 24, *at = end;
//		n *= times;
//		do *--at = '0' + n % 10;
//		while (n /= 10);
//		wm_emit(out, r)->value = (wm_bytes){at, end - at};
//	}
//
//	WASMILL_MAP("{\"name\": \"scale\", \"kind\": \"map\"}", scale)
//
// and build it like any other. The vertex says what it is: `sideInputs: {factor: {file: factor.txt}}`.
#pragma once
#include "wasmill.h"

typedef struct {
	wm_bytes name;
	wm_bytes value;  // as of the last wm_side_changed; empty before
	int64_t version; // of it; 0 or less = there is none
	wm_region memory;
} wm_side;

#define WM_SIDE(name) {{(name), sizeof(name) - 1}, {0, 0}, 0, {0, 0}}

WM_IMPORT("side_version") int64_t wm_side_version(const char *name, uint32_t length);
WM_IMPORT("side_read") int32_t wm_side_read(const char *name, uint32_t length, void *to, uint32_t room);

// wm_side_changed looks for another value, and returns 1 if it read one: in the first call that
// asks, and after each change. It does not change while the records of a call are handled, so
// that asking for each of them costs no more than a call of the host.
static inline int wm_side_changed(wm_side *s) {
	int64_t version = wm_side_version(s->name.at, s->name.length);
	if (version == s->version || version < 0) return 0;
	int32_t size = wm_side_read(s->name.at, s->name.length, s->memory.at, s->memory.size);
	if ((uint32_t)size > s->memory.size) {
		if (!wm_grow(&s->memory, size)) __builtin_trap();
		wm_side_read(s->name.at, s->name.length, s->memory.at, size);
	}
	s->version = version;
	s->value = (wm_bytes){s->memory.at, size};
	return 1;
}
