// Aggregates, for the guest SDK for C: copy it beside wasmill.h. An accumulator is a struct
// without pointers, which begins as zeros; the host keeps it for each key and window. Write
// mean.c
//
//	#include "aggregate.h"
//
//	typedef struct { int64_t count, bytes; } mean;
//
//	static void add(mean *m, const wm_record *r, wm_output *out) {
//		if (!r->value.length) { wm_fail(out, WM_LITERAL("the value is empty")); return; }
//		m->count++;
//		m->bytes += r->value.length;
//	}
//
//	static void merge(mean *m, const mean *other) {
//		m->count += other->count;
//		m->bytes += other->bytes;
//	}
//
//	static void result(mean *m, const wm_window *w, wm_output *out) {
//		char *text = wm_alloc(20), *at = text + 20;
//		int64_t n = m->count ? m->bytes / m->count : 0;
//		do *--at = '0' + n % 10; while (n /= 10);
//		wm_emit_result(out, w)->value = (wm_bytes){at, text + 20 - at};
//	}
//
//	WASMILL_AGGREGATE("{\"name\": \"mean\", \"kind\": \"aggregate\"}", mean, add, result)
//	WASMILL_MERGE(mean, merge)
//
// and build it as wasmill.h says. WASMILL_MERGE is for session windows, others do without. A
// result may change the accumulator, such as to start anew. A new version of the plugin may
// add fields to the end of the struct: they are zeros in old accumulators.
#pragma once
#include "wasmill.h"

typedef struct { // a window of a key
	int64_t start, end; // ns since 1970; [start, end)
	wm_bytes key, accumulator;
	uint32_t first, count; // of its records
	uint32_t firing, reserved;
} wm_window;

// Why a result is wanted: the window has ended, it has not, records came after that.
enum { WM_END = 0, WM_EARLY = 1, WM_LATE = 2 };

// WM_GLOBAL is the end of the window of all times.
#define WM_GLOBAL INT64_MAX

typedef struct {
	wm_frame frame;
	uint32_t count;
	const wm_window *windows;
	uint64_t reserved;
} wm_fold;

_Static_assert(sizeof(wm_window) == 48 && sizeof(wm_fold) == 48, "needs --target=wasm32");

// wm_emit_result adds a result with the key of the window and its last moment as time, for
// the window of all times that of the latest record, and returns it for you to change. The
// pointer is good until the next wm_emit_result.
static inline wm_result *wm_emit_result(wm_output *out, const wm_window *w) {
	int64_t time = w->end == WM_GLOBAL ? out->frame->watermark : w->end - 1;
	return wm_emit(out, &(wm_record){.time = time, .key = w->key});
}

// WASMILL_AGGREGATE makes `static void add(type *, const wm_record *, wm_output *)` and
// `static void result(type *, const wm_window *, wm_output *)` the functions of the plugin.
// In add, wm_fail makes the record fail, and nothing may be emitted; in result it makes the
// result fail.
#define WASMILL_AGGREGATE(description, type, add, result)                                  \
	WM_PLUGIN(description)                                                                 \
	WM_EXPORT(const wm_output *, wasmill_add)(const wm_fold *f) {                          \
		wm_output out = wm_begin(f);                                                       \
		type *acc = wm_alloc(f->count * sizeof(type));                                     \
		for (const wm_window *w = f->windows, *end = w + f->count; w < end; w++, acc++) {  \
			wm_load(acc, sizeof(type), w->accumulator);                                    \
			out.index = w->first;                                                          \
			for (uint32_t last = w->first + w->count; out.index < last; out.index++)       \
				add(acc, &f->frame.records[out.index], &out);                              \
			wm_answer(&out, w - f->windows, acc, sizeof(type));                            \
		}                                                                                  \
		return wm_finish(&out);                                                            \
	}                                                                                      \
	WM_EXPORT(const wm_output *, wasmill_result)(const wm_fold *f) {                       \
		wm_output out = wm_begin(f);                                                       \
		for (const wm_window *end = f->windows + f->count, *w = f->windows; w < end; w++) { \
			type acc[2], *kept;                                                            \
			wm_load(acc, sizeof(type), w->accumulator);                                    \
			acc[1] = acc[0];                                                               \
			out.index = w - f->windows;                                                    \
			result(acc, w, &out);                                                          \
			if (wm_same(&acc[0], &acc[1], sizeof(type))) continue;                         \
			*(kept = wm_alloc(sizeof(type))) = acc[0];                                     \
			wm_answer(&out, out.index, kept, sizeof(type));                                \
		}                                                                                  \
		return wm_finish(&out);                                                            \
	}

// WASMILL_MERGE makes `static void merge(type *, const type *other)` the function that
// merges sessions.
#define WASMILL_MERGE(type, merge)                                                         \
	WM_EXPORT(const wm_output *, wasmill_merge)(const wm_fold *f) {                        \
		wm_output out = wm_begin(f);                                                       \
		type *acc = wm_alloc(f->count / 2 * sizeof(type)), other;                          \
		for (uint32_t i = 0; i + 1 < f->count; i += 2, acc++) {                            \
			wm_load(acc, sizeof(type), f->windows[i].accumulator);                         \
			wm_load(&other, sizeof(type), f->windows[i + 1].accumulator);                  \
			merge(acc, &other);                                                            \
			wm_answer(&out, i, acc, sizeof(type));                                         \
		}                                                                                  \
		return wm_finish(&out);                                                            \
	}

static inline wm_output wm_begin(const wm_fold *f) {
	wm_used = 0;
	return (wm_output){.frame = &f->frame, .next = (wm_result *)wm_table.at, .end = wm_end()};
}

static inline const wm_output *wm_finish(wm_output *out) {
	out->results = (wm_result *)wm_table.at;
	out->count = out->next - out->results;
	return wm_last = *out, &wm_last;
}

// wm_load reads an accumulator, which may be shorter or longer than it is now.
static inline void wm_load(void *acc, uint32_t size, wm_bytes from) {
	if (__builtin_expect(from.length == size, 1)) {
		__builtin_memcpy(acc, from.at, size);
		return;
	}
	for (uint32_t i = 0; i < size; i++) ((char *)acc)[i] = i < from.length ? from.at[i] : 0;
}

static inline int wm_same(const void *a, const void *b, uint32_t size) {
	for (uint32_t i = 0; i < size; i++)
		if (((const char *)a)[i] != ((const char *)b)[i]) return 0;
	return 1;
}

static inline void wm_answer(wm_output *out, uint32_t window, const void *acc, uint32_t size) {
	wm_result *r = wm_emit(out, &(wm_record){.value = {acc, size}});
	r->input = window;
	r->outcome = 2;
}
