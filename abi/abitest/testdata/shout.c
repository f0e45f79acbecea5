// A guest written from abi/ABI.md alone: clang --target=wasm32 -O2 -nostdlib -ffreestanding -Wall -Wextra -Wl,--no-entry -o shout.wasm shout.c
//
// It upper-cases the ASCII letters of each value and appends the param "suffix". An empty value is dropped, one that
// starts with '!' is an error, one that contains '?' is tagged "question". Key, time and headers are kept.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define EXPORT(name) __attribute__((export_name(#name))) name
#define TEXT(literal) (struct span){(u32)(literal), sizeof(literal) - 1}
#define PACK(literal) ((u64)(u32)(literal) << 32 | (sizeof(literal) - 1))
#define PAGE 65536ull

struct span { u32 address, length; };
struct frame { u32 count, records; i64 now, watermark; u64 seed; };
struct record { i64 time; struct span key, value, headers; u32 port, kind; };
struct output { u32 count, entries; u64 reserved; };
struct entry { i64 time; struct span key, value, headers; u32 input, outcome; struct span tag; };
_Static_assert(sizeof(struct frame) == 32 && sizeof(struct record) == 40, "input layout");
_Static_assert(sizeof(struct output) == 16 && sizeof(struct entry) == 48, "output layout");

// Arenas are whole pages below 4 GiB. One that grows loses its content; it is extended in place if it is the last in memory.
struct arena { u32 base; u64 size; };
static struct arena in, out, text;
static struct span suffix;

static u64 memory_end(void) { return __builtin_wasm_memory_size(0) * PAGE; }

static int extend(struct arena *a, u64 size) {
    u64 end = memory_end();
    int last = a->size && a->base + a->size == end;
    size = (size + PAGE - 1) / PAGE * PAGE;
    u64 more = last ? size - a->size : size;
    if (more >= (1ull << 32) - end || __builtin_wasm_memory_grow(0, more / PAGE) == (__SIZE_TYPE__)-1) return 0;
    if (!last) a->base = (u32)end;
    a->size = size;
    return 1;
}

// reserve doubles, so that the regions left behind add up to less than the arena; where that is too much it asks for the bare size.
static int reserve(struct arena *a, u64 size) {
    if (a->size && size <= a->size) return 1;
    if (!size) size = 1;
    return (size < 2 * a->size && extend(a, 2 * a->size)) || extend(a, size);
}

// A cursor over the params, for the two shapes taken: {} and {"suffix": "text"}.
static const u8 *at, *end;

static int eat(const char *word) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    const u8 *p = at;
    for (; *word; p++, word++)
        if (p == end || *p != (u8)*word) return 0;
    at = p;
    return 1;
}

static int finish(void) { return eat("}") && eat("") && at == end; }

static u32 hex4(void) { // a value above 0xffff if these are not four hex digits
    u32 v = 0;
    for (int i = 0; i < 4; i++) {
        u32 c = at < end ? *at++ : 0, low = c | 0x20;
        if (c >= '0' && c <= '9') v = v << 4 | (c - '0');
        else if (low >= 'a' && low <= 'f') v = v << 4 | (low - 'a' + 10);
        else return ~0u;
    }
    return v;
}

// unescape decodes what follows a backslash, as UTF-8 at o, and returns the end of it, or 0.
static u8 *unescape(u8 *o) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    u32 c = at < end ? *at++ : 0;
    for (int i = 0; from[i]; i++)
        if (c == (u8)from[i]) { *o++ = (u8)to[i]; return o; }
    if (c != 'u' || (c = hex4()) > 0xffff || c >> 10 == 0x37) return 0;
    if (c >> 10 == 0x36) {
        if (end - at < 2 || *at++ != '\\' || *at++ != 'u') return 0;
        u32 low = hex4();
        if (low >> 10 != 0x37) return 0;
        c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
    }
    int extra = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *o++ = (u8)(extra ? 0xf80 >> extra | c >> 6 * extra : c); // leading bytes c0, e0, f0
    while (extra--) *o++ = (u8)(0x80 | (c >> 6 * extra & 0x3f));
    return o;
}

void EXPORT(wasmill_abi_v1)(void) {}

u64 EXPORT(wasmill_describe)(void) {
    return PACK("{\"name\":\"shout\",\"version\":\"1.0.0\",\"kind\":\"map\",\"tags\":[\"question\"],\"params\":{\"type\":\"object\","
                "\"properties\":{\"suffix\":{\"type\":\"string\"}},\"additionalProperties\":false}}");
}

u32 EXPORT(wasmill_input)(u32 size) { return reserve(&in, size) ? in.base : 0; }

u64 EXPORT(wasmill_configure)(u32 address, u32 length) {
    at = (const u8 *)address, end = at + length;
    suffix.length = 0;
    if (!eat("{")) return PACK("shout: params must be an object");
    if (finish()) return 0;
    if (!eat("\"suffix\"") || !eat(":")) return PACK("shout: the only param is \"suffix\"");
    if (!eat("\"")) return PACK("shout: \"suffix\" must be a string");
    if (!reserve(&text, length)) return PACK("shout: no memory for \"suffix\""); // decoding never makes it longer
    u8 *o = (u8 *)text.base;
    while (at < end && *at != '"') {
        if (*at != '\\') *o++ = *at++;
        else if (at++, !(o = unescape(o))) return PACK("shout: \"suffix\" has a bad escape");
    }
    if (!eat("\"") || !finish()) return PACK("shout: params must be {} or {\"suffix\": \"text\"}");
    suffix = (struct span){text.base, (u32)o - text.base};
    return 0;
}

u32 EXPORT(wasmill_process)(u32 address) {
    const struct frame *f = (const struct frame *)address;
    const struct record *r = (const struct record *)f->records;
    u64 need = sizeof(struct output) + (u64)f->count * sizeof(struct entry);
    for (u32 i = 0; i < f->count; i++)
        if (r[i].kind == 0) need += (u64)r[i].value.length + suffix.length;
    if (!reserve(&out, need)) __builtin_trap();

    struct output *header = (struct output *)out.base;
    struct entry *first = (struct entry *)(header + 1), *e = first;
    u8 *o = (u8 *)(first + f->count);
    for (u32 i = 0; i < f->count; i++, r++) {
        if (r->kind != 0 || r->value.length == 0) continue;
        const u8 *v = (const u8 *)r->value.address, *last = v + r->value.length;
        *e = (struct entry){r->time, r->key, {(u32)o, r->value.length + suffix.length}, r->headers, i, 0, {0, 0}};
        if (*v == '!') {
            e->value = TEXT("shout: value starts with '!'");
            e++->outcome = 1;
            continue;
        }
        for (; v < last; v++) {
            if (*v == '?') e->tag = TEXT("question");
            *o++ = *v >= 'a' && *v <= 'z' ? *v - 32 : *v;
        }
        for (u32 k = 0; k < suffix.length; k++) *o++ = ((const u8 *)suffix.address)[k];
        e++;
    }
    *header = (struct output){(u32)(e - first), (u32)first, 0};
    return out.base;
}
