package wasm

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// newEngine opens an engine with an empty cache.
func newEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := NewEngine(t.Context(), t.TempDir(), CompileLimits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// load loads a module given as bytes.
func load(t testing.TB, e *Engine, module []byte) (*Plugin, error) {
	t.Helper()
	p, err := e.Load(t.Context(), writeModule(t, module), DefaultLimits())
	if err == nil {
		t.Cleanup(func() {
			if err := p.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return p, err
}

func writeModule(t testing.TB, module []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.wasm")
	if err := os.WriteFile(path, module, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t testing.TB, e *Engine, module []byte) *Plugin {
	t.Helper()
	p, err := load(t, e, module)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustTransform(t testing.TB, p *Plugin, c Config) *Transform {
	t.Helper()
	if c.Tags == nil {
		c.Tags = stream.NewTagTable()
	}
	c.Instances = max(c.Instances, 1)
	tr, err := p.Transform(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tr
}

// batchOf makes a batch whose records come from source 3, numbered from 100.
func batchOf(records []abitest.Record) *stream.Batch {
	b := (&stream.BatchPool{}).New()
	for i, r := range records {
		b.Append(r.Time, []byte(r.Key), []byte(r.Value), []byte(r.Headers))
		b.Records[i].Source, b.Records[i].Seq = 3, stream.Seq(100+i)
	}
	return b
}

func recordsOf(b *stream.Batch) (records []abitest.Record) {
	for i, r := range b.Records {
		records = append(records, abitest.Record{Time: r.Time, Key: string(b.Key(i)), Value: string(b.Value(i)), Headers: string(b.Headers(i))})
	}
	return records
}

// callCase calls the guest of a case, with state if it is of that kind.
func callCase(ctx context.Context, tr *Transform, c *abitest.Case, in *stream.Batch, out *stream.Output) error {
	if c.Kind != abi.KindProcess {
		return tr.Call(ctx, in, out)
	}
	s := abitest.NewState()
	s.Begin(c.In)
	return tr.Process(ctx, s, in, out)
}

// TestHostConformance runs the guests of the ABI's own suite.
func TestHostConformance(t *testing.T) {
	e := newEngine(t)
	names := []string{"", "seen", "other"}
	tags := stream.NewTagTable(names...)
	for _, c := range abitest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			tr := mustTransform(t, mustLoad(t, e, c.Module), Config{Vertex: "v", Tags: tags, Grant: c.Grant})
			for range 2 { // an instance that lied is replaced
				in, out := batchOf(c.In), stream.Output{Batch: (&stream.BatchPool{}).New()}
				err := callCase(t.Context(), tr, &c, in, &out)
				if c.Refused {
					if code := stream.CodeOf(err); code != stream.GuestOutput && code != stream.GuestLimit && code != stream.GuestTrap {
						t.Fatalf("got %v, want an error of the guest", err)
					}
					if !slices.Equal(recordsOf(in), c.In) || out.Len() != 0 {
						t.Error("a call that failed changed its input or left output")
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				var got []abitest.Result
				for i, r := range recordsOf(out.Batch) {
					if rec := out.Records[i]; rec.Source != 3 || rec.Seq < 100 {
						t.Errorf("record %d has origin %d/%d", i, rec.Source, rec.Seq)
					}
					got = append(got, abitest.Result{Record: r, Tag: names[out.Records[i].Tag]})
				}
				failed := map[int]string{}
				for _, f := range out.Failures {
					failed[f.Input] = f.Reason
				}
				if !slices.Equal(got, c.Want) || !maps.Equal(failed, c.Failed) {
					t.Errorf("got  %+v %v\nwant %+v %v", got, failed, c.Want, c.Failed)
				}
			}
		})
	}
}

// TestTheSuiteAcceptsAGuestMadeByHand runs the other half of the suite.
func TestTheSuiteAcceptsAGuestMadeByHand(t *testing.T) {
	for _, f := range mustLoad(t, newEngine(t), abitest.Identity()).Check(t.Context(), nil) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Check, f.Err)
		}
	}
}

// TestTheSuiteFindsGuestsThatBreakARule holds each check to what it is for.
func TestTheSuiteFindsGuestsThatBreakARule(t *testing.T) {
	e := newEngine(t)
	for check, module := range abitest.Offenders() {
		t.Run(check, func(t *testing.T) {
			for _, f := range mustLoad(t, e, module).Check(t.Context(), nil) {
				if f.Check == check && f.Err == nil {
					t.Error("not found")
				}
				if f.Check == check {
					return
				}
			}
			t.Error("there is no such check")
		})
	}
}

func TestFilesThatAreNoPluginsAreRefused(t *testing.T) {
	asm := func(build func(*abitest.Asm)) []byte {
		a := abitest.NewGuest(func(a *abitest.Asm) { build(a) })
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
		return a.Bytes()
	}
	imports := func(module, name string, params ...byte) []byte {
		return asm(func(a *abitest.Asm) { a.Import(module, name, params, nil) })
	}
	identity := abitest.Identity()
	tests := []struct {
		name   string
		module []byte
		code   stream.Code
		want   string
	}{
		{"an empty file", nil, stream.PluginNotWasm, "an empty file"},
		{"an HTML page", []byte("\n<!DOCTYPE html><title>404</title>"), stream.PluginNotWasm, "an HTML page"},
		{"a zip archive", []byte("PK\x03\x04xxxx"), stream.PluginNotWasm, "a zip archive"},
		{"a native library", []byte("\x7fELF...."), stream.PluginNotWasm, "a native program"},
		{"WebAssembly text", []byte("(module)"), stream.PluginNotWasm, "wat2wasm"},
		{"a Git LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), stream.PluginNotWasm, "git lfs pull"},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), stream.PluginComponent, "wasm32-unknown-unknown"},
		{"a later version of the format", []byte("\x00asm\x02\x00\x00\x00"), stream.PluginInvalid, "version 02000000"},
		{"a file cut short", identity[:len(identity)-20], stream.PluginInvalid, "section data"},
		{"a file with something after its end", append(slices.Clone(identity), 0x77), stream.PluginInvalid, "id 119"},
		{"a module that is no plugin", []byte("\x00asm\x01\x00\x00\x00"), stream.PluginABI, "does not export wasmill_abi_v1"},
		{"another ABI", asmOnly(func(a *abitest.Asm) { a.Func("wasmill_abi_v9", nil, nil, nil) }), stream.PluginABI, "wasmill_abi_v9"},
		{"missing exports", asmOnly(func(a *abitest.Asm) { a.Func(abi.ExportMarker, nil, nil, nil) }), stream.PluginExport, "wasmill_process (i32) -> (i32)"},
		{"an export of the wrong type", abiProcess([]byte{abitest.I64}), stream.PluginExport, "(i64) -> (i32) instead of (i32) -> (i32)"},
		{"an unknown import", imports("wasmill", "launch_missiles"), stream.PluginImport, "wasmill.launch_missiles"},
		{"an import of the wrong type", imports("wasmill", "log", abitest.I64), stream.PluginImport, "(i64) -> () instead of (i32, i32, i32) -> ()"},
		{"an undefined function", imports("env", "strlen", abitest.I32), stream.PluginImport, "env.strlen"},
		{"wasm-bindgen", imports("__wbindgen_placeholder__", "x"), stream.PluginImport, "without wasm-bindgen"},
		{"no such WASI function", imports("wasi_snapshot_preview1", "fd_dance"), stream.PluginImport, "fd_dance"},
		{"a command", asm(func(a *abitest.Asm) { a.Export("_start", 0, 0) }), stream.PluginExport, "c-shared"},
		{"more memory than the limit", bigMemory(2000), stream.PluginMemory, "128000KiB"},
		{"larger tables than the limit", asm(func(a *abitest.Asm) {
			for range 6 {
				a.Table(make([]uint32, 20_000)...)
			}
		}), stream.PluginMemory, "120000"},
		{"code that does not validate", invalidBody(), stream.PluginInvalid, "does not validate"},
		{"a start that traps", startTraps(), stream.PluginStart, "unreachable"},
		{"a description that is no JSON", describing("{"), stream.PluginDescribe, "not JSON"},
		{"a description of an unknown kind", describing(`{"name":"x","kind":"teleport"}`), stream.PluginDescribe, `"teleport"`},
	}
	e := newEngine(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, e, tt.module)
			if code := stream.CodeOf(err); err == nil || code != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s with …%s…", err, tt.code, tt.want)
			}
			if exit := stream.ExitCode(err); exit != stream.ExitInput {
				t.Errorf("exit code %d", exit)
			}
		})
	}
}

func asmOnly(build func(*abitest.Asm)) []byte {
	a := &abitest.Asm{}
	build(a)
	return a.Bytes()
}

func abiProcess(params []byte) []byte {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, params, []byte{abitest.I32}, nil, abitest.Const(8))
	return a.Bytes()
}

func bigMemory(pages uint32) []byte {
	a := &abitest.Asm{}
	a.Memory(pages)
	a.Func(abi.ExportMarker, nil, nil, nil)
	a.Func(abi.ExportDescribe, nil, []byte{abitest.I64}, nil, abitest.Const64(0))
	a.Func(abi.ExportInput, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	return a.Bytes()
}

func invalidBody() []byte {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const64(8))
	return a.Bytes()
}

func startTraps() []byte {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	a.Func(abi.ExportInitialize, nil, nil, nil, abitest.Op(abitest.Unreachable))
	return a.Bytes()
}

func describing(text string) []byte {
	a := &abitest.Asm{}
	a.Memory(1)
	a.Data(64, []byte(text))
	a.Func(abi.ExportMarker, nil, nil, nil)
	a.Func(abi.ExportDescribe, nil, []byte{abitest.I64}, nil, abitest.Const64(64<<32|int64(len(text))))
	a.Func(abi.ExportInput, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	return a.Bytes()
}

func TestCapabilitiesAreGrantedOrRefused(t *testing.T) {
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	a.Data(0x100, []byte("hello\x1b[31m"))
	a.Data(8, make([]byte, 16))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(2), abitest.Const(0x100), abitest.Const(10), abitest.Call(0), abitest.Const(8))
	p := mustLoad(t, newEngine(t), a.Bytes())
	_, err := p.Transform(t.Context(), Config{Vertex: "v", Instances: 1})
	if stream.CodeOf(err) != stream.PluginCapability || !strings.Contains(err.Error(), "grant: [log]") {
		t.Errorf("got %v, want a refusal that says how to grant", err)
	}
	var said []string
	tr := mustTransform(t, p, Config{Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}, Events: stream.Events{
		GuestLog: func(v stream.VertexID, l stream.GuestLevel, text string) {
			if v != "v" || l != stream.GuestWarn {
				t.Errorf("line of %s at level %d", v, l)
			}
			said = append(said, text)
		},
	}})
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(said, []string{"hello\x1b[31m"}) {
		t.Errorf("logged %q", said)
	}
}

func TestParamsForAPluginThatTakesNoneAreRefused(t *testing.T) {
	_, err := mustLoad(t, newEngine(t), abitest.Identity()).Transform(t.Context(), Config{Vertex: "v", Params: []byte(`{"a":1}`), Instances: 1})
	if stream.CodeOf(err) != stream.PluginParams {
		t.Errorf("got %v", err)
	}
}

func TestAFilterThatLetsLittleThroughKeepsLittleMemory(t *testing.T) {
	e := newEngine(t)
	tr := mustTransform(t, mustLoad(t, e, abitest.Identity()), Config{Vertex: "v"})
	var rs []abitest.Record
	for range 100 {
		rs = append(rs, abitest.Record{Key: "k", Value: strings.Repeat("x", 2000)})
	}
	in, out := batchOf(rs), stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), in, &out); err != nil {
		t.Fatal(err)
	}
	if out.Bytes() < 200_000 || in.Bytes() != 0 {
		t.Errorf("passing all through: %d bytes out and %d left, want the arena moved", out.Bytes(), in.Bytes())
	}
	in = batchOf(rs)
	in.Records = in.Records[:3] // as after a filter: the arena is mostly dead
	out = stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), in, &out); err != nil {
		t.Fatal(err)
	}
	if got := recordsOf(out.Batch); !slices.Equal(got, rs[:3]) || out.Bytes() > 10_000 {
		t.Errorf("%d records in %d bytes, want 3 in about 6,000", len(got), out.Bytes())
	}
}
