// State and timers for C guests: this file beside wasmill.h. Write visits.c, which counts the
// visits of each key, and says how many they were when none came for a minute:
//
//	#include "process.h"
//
//	#define MINUTE 60000000000
//
//	static void visits(const wm_record *r, wm_output *out) {
//		const wm_bytes count = WM_LITERAL("count"), silent = WM_LITERAL("silent");
//		int64_t n = wm_get_int(out, count, 0);
//		if (wm_is_timer(r)) {
//			char *digits = wm_alloc(20), *at = digits + 20;
//			for (int64_t rest = n; rest > 0; rest /= 10) *--at = '0' + rest % 10;
//			wm_emit(out, r)->value = (wm_bytes){at, digits + 20 - at};
//			wm_delete(out, count);
//			return;
//		}
//		wm_put_int(out, count, n + 1, 0);
//		wm_set_timer(out, WM_EVENT_TIME, silent, r->time + MINUTE);
//	}
//
//	WASMILL_PROCESS("{\"name\": \"visits\", \"kind\": \"process\"}", visits)
//
// and build it like any other. The vertex names the key: `key: {json: user}`. State and timers
// are those of the key of the record in hand, ABI.md §5.2. What a call wrote is forgotten if it
// fails, or one of its records does.
#pragma once
#include "wasmill.h"

// WASMILL_PROCESS makes `static void function(const wm_record *, wm_output *)` the function of
// the plugin; description is the JSON of ABI.md §1. Timers come to it like records: their name
// is the value, their time when they were to fire.
#define WASMILL_PROCESS(description, function) WM_FUNCTION(description, function, 2)

typedef enum { WM_EVENT_TIME, WM_WALL_CLOCK } wm_clock;

// wm_is_timer says whether r is a timer, and wm_clock_of by which clock.
static inline int wm_is_timer(const wm_record *r) { return r->kind != 0; }
static inline wm_clock wm_clock_of(const wm_record *r) { return (wm_clock)(r->kind - 1); }

// wm_ended says that no record will follow: a plugin that sets a timer each time one fires
// stops then.
static inline int wm_ended(const wm_output *out) { return out->frame->watermark == INT64_MAX; }

WM_IMPORT("state_get") int32_t wm_state_get(uint32_t record, const char *name, uint32_t length, void *to, uint32_t room);
WM_IMPORT("state_put") void wm_state_put(uint32_t record, const char *name, uint32_t length, const void *value, uint32_t size, int64_t ttl);
WM_IMPORT("state_delete") void wm_state_delete(uint32_t record, const char *name, uint32_t length);
WM_IMPORT("state_list") int32_t wm_state_list(uint32_t record, const char *prefix, uint32_t length, void *to, uint32_t room);
WM_IMPORT("timer_set") void wm_timer_set(uint32_t record, wm_clock clock, const char *name, uint32_t length, int64_t at);
WM_IMPORT("timer_delete") void wm_timer_delete(uint32_t record, wm_clock clock, const char *name, uint32_t length);

// wm_get reads the value under a name, which lasts until the next call of the plugin. It
// returns 0 if there is none.
static inline int wm_get(wm_output *out, wm_bytes name, wm_bytes *value) {
	uint32_t room = wm_chunk.size - wm_used;
	char *to = wm_chunk.at + wm_used;
	int32_t size = wm_state_get(out->index, name.at, name.length, to, room);
	if (size < 0) return 0;
	char *at = wm_alloc(size);
	if ((uint32_t)size > room) wm_state_get(out->index, name.at, name.length, at, size);
	*value = (wm_bytes){at, size};
	return 1;
}

// wm_put sets it, for ttl ns of event time from the record on; 0 is until it is deleted.
static inline void wm_put(wm_output *out, wm_bytes name, wm_bytes value, int64_t ttl) {
	wm_state_put(out->index, name.at, name.length, value.at, value.length, ttl);
}

static inline void wm_delete(wm_output *out, wm_bytes name) { wm_state_delete(out->index, name.at, name.length); }

// wm_get_int and wm_put_int are for values that are numbers: 8 bytes, little-endian.
static inline int64_t wm_get_int(wm_output *out, wm_bytes name, int64_t otherwise) {
	int64_t n;
	return wm_state_get(out->index, name.at, name.length, &n, sizeof n) == sizeof n ? n : otherwise;
}

static inline void wm_put_int(wm_output *out, wm_bytes name, int64_t n, int64_t ttl) {
	wm_state_put(out->index, name.at, name.length, &n, sizeof n, ttl);
}

// wm_list reads all names that begin with a prefix, with their values, in the order of their
// bytes; wm_next takes the first off a list, and returns 0 when it is empty:
//
//	wm_bytes name, value, list = wm_list(out, WM_LITERAL("item "));
//	while (wm_next(&list, &name, &value)) …
static inline wm_bytes wm_list(wm_output *out, wm_bytes prefix) {
	uint32_t room = wm_chunk.size - wm_used;
	char *to = wm_chunk.at + wm_used;
	uint32_t size = wm_state_list(out->index, prefix.at, prefix.length, to, room);
	char *at = wm_alloc(size);
	if (size > room) wm_state_list(out->index, prefix.at, prefix.length, at, size);
	return (wm_bytes){at, size};
}

static inline int wm_next(wm_bytes *list, wm_bytes *name, wm_bytes *value) {
	if (!list->length) return 0;
	uint32_t lengths[2];
	__builtin_memcpy(lengths, list->at, 8);
	*name = (wm_bytes){list->at + 8, lengths[0]};
	*value = (wm_bytes){name->at + lengths[0], lengths[1]};
	uint32_t taken = 8 + lengths[0] + lengths[1];
	*list = (wm_bytes){list->at + taken, list->length - taken};
	return 1;
}

// wm_set_timer sets the timer of a name, or moves it: to when the watermark, or the wall clock,
// has come to at, ns since 1970.
static inline void wm_set_timer(wm_output *out, wm_clock clock, wm_bytes name, int64_t at) {
	wm_timer_set(out->index, clock, name.at, name.length, at);
}

static inline void wm_delete_timer(wm_output *out, wm_clock clock, wm_bytes name) {
	wm_timer_delete(out->index, clock, name.at, name.length);
}
