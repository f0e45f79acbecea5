// Counts the records of each key and window.
#include "../../abi/sdk/c/aggregate.h"

typedef struct {
	int64_t count;
} tally;

static void add(tally *t, const wm_record *r, wm_output *out) {
	(void)r, (void)out;
	t->count++;
}

static void merge(tally *t, const tally *other) { t->count += other->count; }

static void result(tally *t, const wm_window *w, wm_output *out) {
	char *end = (char *)wm_alloc(24) + 24, *at = end;
	int64_t n = t->count;
	*--at = '}';
	do *--at = '0' + n % 10;
	while (n /= 10);
	static const char name[] = "{\"count\":";
	for (uint32_t i = sizeof name - 1; i > 0; i--) *--at = name[i - 1];
	wm_emit_result(out, w)->value = (wm_bytes){at, end - at};
}

WASMILL_AGGREGATE("{\"name\": \"count-by\", \"version\": \"1.0.0\", \"kind\": \"aggregate\", \"tags\": []}", tally, add, result)
WASMILL_MERGE(tally, merge)
