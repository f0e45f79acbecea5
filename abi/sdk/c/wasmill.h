// The guest SDK for C: this one file, no libc. Write upper.c
//
//	#include "wasmill.h"
//
//	static void upper(const wm_record *r, wm_output *out) {
//		char *to = wm_alloc(r->value.length);
//		for (uint32_t i = 0; i < r->value.length; i++) {
//			char c = r->value.at[i];
//			to[i] = c >= 'a' && c <= 'z' ? c - 32 : c;
//		}
//		wm_emit(out, r)->value.at = to;
//	}
//
//	WASMILL_MAP("{\"name\": \"upper\", \"kind\": \"map\"}", upper)
//
// and build it with clang and lld 14 or later:
//
//	clang --target=wasm32 -O3 -mbulk-memory -nostdlib -Wl,--no-entry -Wl,--stack-first -o upper.wasm upper.c
//
// The structs are the layouts of ABI.md, so wm_record is the host's own record: read-only.
#pragma once
#include <stdint.h>

typedef struct {
	const char *at; // means nothing if the length is 0: do not even copy 0 bytes from there
	uint32_t length;
} wm_bytes;

// A string literal as bytes.
#define WM_LITERAL(s) ((wm_bytes){(s), sizeof(s) - 1})

typedef struct { // one record in
	int64_t time; // event time, ns since 1970
	wm_bytes key, value, headers;
	uint32_t port, kind;
} wm_record;

typedef struct { // one result out
	int64_t time;
	wm_bytes key, value, headers;
	uint32_t input, outcome;
	wm_bytes tag;
} wm_result;

typedef struct {
	uint32_t count;
	const wm_record *records;
	int64_t now, watermark; // ns since 1970
	uint64_t seed;          // for randomness that repeats when a record is processed again
} wm_frame;

typedef struct { // the host reads count, results and reserved
	uint32_t count;
	wm_result *results;
	uint64_t reserved;
	const wm_frame *frame;
	uint32_t index; // of the record in hand
	wm_result *next, *end; // where the next result goes, where there is no more room
} wm_output;

_Static_assert(sizeof(wm_frame) == 32 && sizeof(wm_record) == 40 && sizeof(wm_result) == 48, "needs --target=wasm32");

// wm_emit adds a result, a copy of r for you to change, and returns it. The pointer is good
// until the next wm_emit.
static inline wm_result *wm_emit(wm_output *out, const wm_record *r);

// wm_fail makes the record in hand fail, with a message in UTF-8.
static inline void wm_fail(wm_output *out, wm_bytes message);

// wm_alloc returns 8-byte aligned memory that lasts until the next call of the plugin.
static inline void *wm_alloc(uint32_t size);

// Capabilities, granted as in `grant: [log, clock]`. Those not called are not imported.
#define WM_IMPORT(name) __attribute__((import_module("wasmill"), import_name(name)))
WM_IMPORT("log") void wm_log(int32_t level, const char *at, uint32_t length); // 0 debug … 3 error
WM_IMPORT("now") int64_t wm_now(void);                                        // ns since 1970
WM_IMPORT("random") void wm_random(void *at, uint32_t length);
WM_IMPORT("sleep") void wm_sleep(int64_t ns);

typedef struct {
	wm_bytes method, url, headers, body; // no method = GET; the URL begins with http:// or https://
	int64_t timeout;                     // ns; 0 = what the vertex allows
} wm_request;

typedef struct {
	int32_t status; // below 0 there is no answer, and body says why not
	wm_bytes headers, body; // names of headers are in lower case
} wm_response;

// What a status below 0 means.
enum { WM_HTTP_INVALID = -1, WM_HTTP_DENIED = -2, WM_HTTP_TIMEOUT = -3, WM_HTTP_TOO_LARGE = -4, WM_HTTP_FAILED = -5 };

// wm_http sends a request and waits for the whole answer, which lasts until the next call of
// the plugin. It needs `grant: [http]`, and that the vertex lists the host.
static inline wm_response wm_http(const wm_request *r);

// WASMILL_MAP makes `static void function(const wm_record *, wm_output *)` the function of
// the plugin; description is the JSON of ABI.md §1.
#define WASMILL_MAP(description, function) WM_FUNCTION(description, function, 0)

// WM_FUNCTION has it called with entries of the kinds up to one: timers are in process.h.
#define WM_FUNCTION(description, function, kinds)                                          \
	WM_PLUGIN(description)                                                                 \
	WM_EXPORT(const wm_output *, wasmill_process)(const wm_frame *frame) {                 \
		wm_used = 0;                                                                       \
		wm_output out = {.frame = frame, .next = (wm_result *)wm_table.at, .end = wm_end()}; \
		const wm_record *r = frame->records;                                               \
		for (uint32_t count = frame->count; out.index < count; out.index++, r++)           \
			if (r->kind <= kinds) function(r, &out);                                          \
		out.results = (wm_result *)wm_table.at;                                            \
		out.count = out.next - out.results;                                                \
		return wm_last = out, &wm_last;                                                    \
	}

// WASMILL_PARAMS has `static wm_bytes function(wm_bytes params)` called with the parameters,
// a JSON object, before the first record. It returns what is wrong with them, or {0}.
#define WASMILL_PARAMS(function)                                                           \
	WM_EXPORT(uint64_t, wasmill_configure)(const char *at, uint32_t length) {              \
		return wm_pack(function((wm_bytes){at, length}));                                  \
	}

// WM_PLUGIN is what plugins of all kinds export.
#define WM_PLUGIN(description)                                                             \
	WM_EXPORT(void, wasmill_abi_v1)(void) {}                                               \
	WM_EXPORT(uint64_t, wasmill_describe)(void) { return wm_pack(WM_LITERAL(description)); } \
	WM_EXPORT(void *, wasmill_input)(uint32_t size) {                                      \
		return size <= wm_arena.size ? wm_arena.at : wm_grow(&wm_arena, size);             \
	}

#define WM_EXPORT(type, name) __attribute__((export_name(#name))) type name

static inline uint64_t wm_pack(wm_bytes b) { return (uint64_t)(uintptr_t)b.at << 32 | b.length; }

// Memory comes in regions. There is no free: a region that is too small is left behind for
// one of twice the size, so that what is lost stays less than what is in use.
typedef struct {
	char *at;
	uint32_t size;
} wm_region;

static wm_region wm_arena, wm_table, wm_chunk; // input, entries, wm_alloc
static uint32_t wm_used;                       // of wm_chunk
static wm_output wm_last;

__attribute__((noinline)) static void *wm_grow(wm_region *region, uint32_t size) {
	uint32_t pages = (uint32_t)(((uint64_t)size + 0xffff) >> 16), twice = region->size >> 15;
	if (pages < twice) pages = twice;
	uint32_t first = __builtin_wasm_memory_grow(0, pages);
	if (first == UINT32_MAX) return 0;
	*region = (wm_region){(char *)(uintptr_t)(first << 16), pages << 16};
	return region->at;
}

static inline void *wm_alloc(uint32_t size) {
	if (size > wm_chunk.size - wm_used) {
		if (!wm_grow(&wm_chunk, size)) __builtin_trap();
		wm_used = 0;
	}
	char *at = wm_chunk.at + wm_used;
	wm_used += (size + 7) & ~7u;
	return at;
}

static inline wm_result *wm_end(void) { return (wm_result *)wm_table.at + wm_table.size / sizeof(wm_result); }

// wm_more moves the table to where it has more room and returns the end of what is in use.
__attribute__((noinline)) static wm_result *wm_more(uint32_t used) {
	wm_region old = wm_table;
	if (!wm_grow(&wm_table, old.size + sizeof(wm_result))) __builtin_trap();
	if (used) __builtin_memcpy(wm_table.at, old.at, used);
	return (wm_result *)(wm_table.at + used);
}

static inline wm_result *wm_emit(wm_output *out, const wm_record *r) {
	if (out->next == out->end) {
		out->next = wm_more((char *)out->next - wm_table.at);
		out->end = wm_end();
	}
	*out->next = (wm_result){r->time, r->key, r->value, r->headers, out->index, 0, {0, 0}};
	return out->next++;
}

static inline void wm_fail(wm_output *out, wm_bytes message) {
	wm_result *result = wm_emit(out, &out->frame->records[out->index]);
	result->value = message;
	result->outcome = 1;
}

WM_IMPORT("http_request") int64_t wm_http_request(const wm_request *r);
WM_IMPORT("http_response") void wm_http_response(void *at, uint32_t length);

static inline wm_response wm_http(const wm_request *r) {
	int64_t result = wm_http_request(r);
	wm_bytes answer = {wm_alloc((uint32_t)result), (uint32_t)result};
	wm_http_response((void *)answer.at, answer.length);
	int32_t status = result >> 32;
	if (status < 0) return (wm_response){status, {0}, answer};
	uint32_t n = *(uint32_t *)answer.at;
	return (wm_response){status, {answer.at + 4, n}, {answer.at + 4 + n, answer.length - 4 - n}};
}
