// Aggregates that each break a rule, by the number FAULT.
#include "../../../abi/sdk/c/aggregate.h"

typedef struct {
	int64_t sum;
} tally;

static int64_t frames;

static void add(tally *t, const wm_record *r, wm_output *out) {
	t->sum += r->value.length;
	if (FAULT == 1) t->sum += out->index; // depends on the frame
	if (FAULT == 2) wm_emit(out, r);
	if (FAULT == 3) ((wm_record *)r)->port++;
	if (FAULT == 4 && out->index == 0) __builtin_wasm_memory_grow(0, 1);
	if (FAULT == 5 && out->index > 500) __builtin_trap();
	if (FAULT == 6 && !r->value.length) __builtin_trap();
	if (FAULT == 7) { // takes the table to follow the header
		const wm_window *w = (const wm_window *)((const wm_fold *)out->frame + 1);
		t->sum += (uint64_t)(w->end - w->start) > 1000000000000;
	}
}

static void merge(tally *t, const tally *other) { t->sum += FAULT == 8 ? 0 : other->sum; }

static void result(tally *t, const wm_window *w, wm_output *out) {
	if (FAULT == 9 && !w->accumulator.length) __builtin_trap();
	int64_t *value = wm_alloc(8);
	*value = t->sum + (FAULT == 10 ? ++frames : 0);
	wm_emit_result(out, w)->value = (wm_bytes){(char *)value, 8};
}

WASMILL_AGGREGATE("{\"name\": \"offender\", \"kind\": \"aggregate\", \"tags\": []}", tally, add, result)
WASMILL_MERGE(tally, merge)
