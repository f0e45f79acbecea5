// Says of the bids of an auction and day how many there are, in total and by how high they are,
// and the least, highest, mean and summed price. Records are keyed by auction.
#include "../../../abi/sdk/c/aggregate.h"

enum { TOTAL, RANK1, RANK2, RANK3, MIN, MAX, AVG, SUM, FIGURES };

typedef struct {
	int64_t of[FIGURES];
} prices;

// price_of finds the first "price": in JSON: quotes in a string have a backslash before them. It
// returns -1 if no whole number of at most 18 digits follows.
static int64_t price_of(wm_bytes json) {
	static const char name[] = "\"price\":";
	const char *at = json.at, *end = at + json.length;
	for (uint32_t same = 0; same < sizeof name - 1; at++) {
		if (at == end) return -1;
		same = *at == name[same] ? same + 1 : *at == name[0];
	}
	while (at < end && *at == ' ') at++;
	const char *first = at;
	int64_t n = 0;
	for (; at < end && at < first + 18 && *at >= '0' && *at <= '9'; at++) n = 10 * n + *at - '0';
	return at == first || at == end || (*at != ',' && *at != '}' && *at != ' ') ? -1 : n;
}

static void add(prices *p, const wm_record *r, wm_output *out) {
	int64_t price = price_of(r->value), *of = p->of;
	if (price < 0) {
		wm_fail(out, WM_LITERAL("the bid has no price"));
		return;
	}
	if (!of[TOTAL] || price < of[MIN]) of[MIN] = price;
	if (price > of[MAX]) of[MAX] = price;
	of[price < 10000 ? RANK1 : price < 1000000 ? RANK2 : RANK3]++;
	of[TOTAL]++;
	of[SUM] += price;
}

static char *text(char *to, const char *from) {
	while (*from) *to++ = *from++;
	return to;
}

// number writes n with so many digits at least.
static char *number(char *to, int64_t n, int digits) {
	char reversed[20];
	int length = 0;
	do reversed[length++] = '0' + n % 10;
	while (n /= 10);
	while (length < digits) reversed[length++] = '0';
	while (length) *to++ = reversed[--length];
	return to;
}

// date writes the day of ns since 1970. Years begin in March here, so that the leap day is their
// last one (Hinnant, chrono-Compatible Low-Level Date Algorithms).
static char *date(char *to, int64_t ns) {
	int64_t days = ns / 86400000000000 + 719468, era = days / 146097, day = days % 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	int64_t march = (5 * day + 2) / 153, month = march < 10 ? march + 3 : march - 9;
	to = text(number(to, era * 400 + year + (month <= 2), 4), "-");
	to = text(number(to, month, 2), "-");
	return number(to, day - (153 * march + 2) / 5 + 1, 2);
}

static void result(prices *p, const wm_window *w, wm_output *out) {
	static const char *const names[FIGURES] = {
		",\"total\":", ",\"rank1\":", ",\"rank2\":", ",\"rank3\":", ",\"min\":", ",\"max\":", ",\"avg\":", ",\"sum\":",
	};
	for (uint32_t i = 0; i < w->key.length; i++)
		if (w->key.at[i] < '0' || w->key.at[i] > '9' || w->key.length > 18 || w->start < 0) {
			wm_fail(out, WM_LITERAL("the key is not the number of an auction, or the day is before 1970"));
			return;
		}
	char *line = wm_alloc(400), *at = text(line, "{\"auction\":");
	for (uint32_t i = 0; i < w->key.length; i++) *at++ = w->key.at[i];
	at = text(date(text(at, ",\"day\":\""), w->start), "\"");
	int64_t of[FIGURES];
	for (int i = 0; i < FIGURES; i++) of[i] = p->of[i];
	of[AVG] = of[TOTAL] ? of[SUM] / of[TOTAL] : 0;
	for (int i = 0; i < FIGURES; i++) at = number(text(at, names[i]), of[i], 1);
	*at++ = '}';
	wm_emit_result(out, w)->value = (wm_bytes){line, at - line};
}

WASMILL_AGGREGATE("{\"name\": \"nexmark-prices\", \"version\": \"1.0.0\", \"kind\": \"aggregate\", \"tags\": []}", prices, add, result)
