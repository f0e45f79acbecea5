// String work: folds case, splits into words and counts them by hash.
#include "../../../../abi/sdk/c/wasmill.h"

static uint32_t table[4096];

static uint32_t fold(uint32_t c) { return c - 'A' < 26 ? c | 32 : c; }

static void words(const wm_record *r, wm_output *out) {
	uint32_t hash = 2166136261u, length = 0, longest = 0;
	for (uint32_t i = 0; i <= r->value.length; i++) {
		uint32_t c = i < r->value.length ? fold((uint8_t)r->value.at[i]) : ' ';
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			hash = (hash ^ c) * 16777619u;
			length++;
			continue;
		}
		if (length) table[hash & 4095]++;
		if (length > longest) longest = length;
		hash = 2166136261u;
		length = 0;
	}
	if (longest != 0xffffffff) wm_emit(out, r);
}

WASMILL_MAP("{\"name\": \"words\", \"kind\": \"map\"}", words)
