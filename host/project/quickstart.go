package project

import (
	"path/filepath"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

// Quickstart writes a pipeline and the plugin that it runs into a folder, and returns their
// file and folder: made-up requests of a web server, of which the plugin keeps those that
// POST.
func Quickstart(dir string) (pipeline, plugins string, err error) {
	pipeline, plugins = filepath.Join(dir, "quickstart.yaml"), filepath.Join(dir, "plugins")
	text, err := filled("quickstart")
	if err != nil {
		return "", "", err
	}
	for _, f := range []File{{"quickstart.yaml", text}, {"plugins/only-posts.wasm", onlyPosts()}} {
		if err := write(dir, f); err != nil {
			return "", "", err
		}
	}
	return pipeline, plugins, nil
}

// Where onlyPosts keeps things in its memory, and how big that is.
const (
	describeAt = 0x400
	headerAt   = 0x800   // of the output
	entriesAt  = 0x1000  // of the output: room for 21,000 of abi.OutSize
	arenaAt    = 1 << 20 // where the host writes frames
	arenaSize  = 3 << 20
	pages      = (arenaAt + arenaSize) >> 16
	maxEntries = (arenaAt - entriesAt) / abi.OutSize
)

// onlyPosts assembles a plugin of kind map that keeps the records whose value begins with
// POST: half a kilobyte, so that quickstart needs no compiler, and the sources no binary.
// In C, with the SDK, it is
//
//	static void handle(const wm_record *r, wm_output *out) {
//		if (r->value.length >= 4 && !memcmp(r->value.at, "POST", 4)) wm_emit(out, r);
//	}
func onlyPosts() []byte {
	const i32, i64 = abitest.I32, abitest.I64
	get, set, num, op := abitest.Get, abitest.Set, abitest.Const, abitest.Op
	const sub, divU, notEqual = 0x6b, 0x6e, 0x47 // i32.sub, i32.div_u, i32.ne
	description := `{"name": "only-posts", "version": "1.0.0", "kind": "map", "tags": []}`
	a := &abitest.Asm{}
	a.Memory(pages)
	a.Data(describeAt, []byte(description))
	a.Func(abi.ExportMarker, nil, nil, nil)
	a.Func(abi.ExportDescribe, nil, []byte{i64}, nil, abitest.Const64(describeAt<<32|int64(len(description))))
	// The arena, or 0 for a frame that is larger.
	const elseResult = 0x05
	a.Func(abi.ExportInput, []byte{i32}, []byte{i32}, nil,
		get(0), num(arenaSize), op(abitest.GreaterU), []byte{0x04, i32}, num(0), op(elseResult), num(arenaAt), op(abitest.End))

	const frame, count, record, entry, index, value = 0, 1, 2, 3, 4, 5 // locals; the first is the parameter
	const inValue, inKind = 16, 36                                     // offsets in a record: address and length of the value, kind
	const outInput, outOutcome, outTag = 32, 36, 40                    // offsets in an entry, after what is as in a record
	a.Func(abi.ExportProcess, []byte{i32}, []byte{i32}, []byte{i32, i32, i32, i32, i32},
		get(frame), abitest.Load(0), set(count),
		get(frame), abitest.Load(4), set(record),
		num(entriesAt), set(entry),
		abitest.Block(), abitest.Loop(), // for index < count
		get(index), get(count), op(abitest.LessU, abitest.Eqz), abitest.BrIf(1),
		abitest.Block(), // which a record leaves that is not kept
		get(record), abitest.Load(inKind), abitest.BrIf(0),
		get(record), abitest.Load(inValue+4), num(4), op(abitest.LessU), abitest.BrIf(0),
		get(record), abitest.Load(inValue), set(value),
		get(value), abitest.Load(0), num('P'|'O'<<8|'S'<<16|'T'<<24), op(notEqual), abitest.BrIf(0),
		// There is an entry for it, or the plugin traps.
		get(entry), num(entriesAt+maxEntries*abi.OutSize), op(abitest.LessU, abitest.Eqz), abitest.If(), op(abitest.Unreachable), op(abitest.End),
		get(entry), get(record), num(outInput), abitest.MemoryCopy(), // time, key, value, headers
		get(entry), get(index), abitest.Store(outInput),
		get(entry), num(int32(abi.OutcomeEmit)), abitest.Store(outOutcome),
		get(entry), abitest.Const64(0), abitest.Store64(outTag),
		get(entry), num(abi.OutSize), op(abitest.Add), set(entry),
		op(abitest.End),
		get(record), num(abi.InSize), op(abitest.Add), set(record),
		get(index), num(1), op(abitest.Add), set(index),
		abitest.Br(0), op(abitest.End), op(abitest.End),
		num(headerAt), get(entry), num(entriesAt), op(sub), num(abi.OutSize), op(divU), abitest.Store(0),
		num(headerAt), num(entriesAt), abitest.Store(4),
		num(headerAt))
	return a.Bytes()
}
