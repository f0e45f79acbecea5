package control

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// reader is a guest of a kind that answers each frame, or window, with its side input
// "rates", of at most 64 bytes.
func reader(kind abi.Kind) []byte {
	const name, none, header, entry, value = 0x1000, 0x1800, 0x2000, 0x2010, 0x3000
	a := abitest.NewGuestOf(kind, abitest.ImportSides)
	a.Data(name, []byte("rates"))
	a.Data(none, make([]byte, abi.OutHeaderSize))
	var h [abi.OutHeaderSize]byte
	binary.LittleEndian.PutUint32(h[:], 1)
	binary.LittleEndian.PutUint32(h[4:], entry)
	a.Data(header, h[:])
	var e [abi.OutSize]byte
	(&abi.Out{Value: abi.Ref{Addr: value}}).Put(&e)
	a.Data(entry, e[:])
	read := slices.Concat(
		abitest.Const(entry), abitest.Const(name), abitest.Const(5), abitest.Const(value), abitest.Const(64), abitest.Call(1), abitest.Store(20),
		abitest.Const(header))
	i32 := []byte{abitest.I32}
	if kind != abi.KindAggregate {
		a.Func(abi.ExportProcess, i32, i32, nil, read)
		return a.Bytes()
	}
	a.Func(abi.ExportAdd, i32, i32, nil, abitest.Const(none))
	a.Func(abi.ExportResult, i32, i32, nil, read)
	return a.Bytes()
}

// sidedText is a pipeline in which the plugin reads has something of a vertex and a side
// input.
func sidedText(of, input string) string {
	return `name: p
vertices:
  - {name: in, source: stdin}
  - {name: x, udf: {plugin: reads}, ` + of + `sideInputs: {` + input + `}}
  - {name: out, sink: {file: {path: out}}}
  - {name: rates, source: {file: {path: lines}}}
  - {name: rest, sink: drop}
edges:
  - {from: in, to: x}
  - {from: x, to: out}
  - {from: rates, to: rest}
`
}

func (w *workshop) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

func TestPluginsOfEveryKindHaveSideInputs(t *testing.T) {
	for kind, of := range map[abi.Kind]string{abi.KindMap: "", abi.KindProcess: "key: {key: true}, ", abi.KindAggregate: "window: {global: true}, "} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorkshop(t)
			w.plugin("reads", reader(kind))
			w.write("r.json", "from a file")
			w.write("lines", "a\nof an edge\n")
			w.run(sidedText(of, "rates: {file: r.json}"), "one\n")
			if got := w.lines("out"); !slices.Equal(got, []string{"from a file"}) {
				t.Errorf("got %q", got)
			}
			w.run(sidedText(of, "rates: {}")+"  - {from: rates, to: x, side: rates}\n", "one\n")
			if got := w.lines("out"); !slices.Equal(got, []string{"of an edge"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSideInputsThatCannotBeAreFoundBeforeAPipelineRuns(t *testing.T) {
	w := newWorkshop(t)
	w.plugin("reads", reader(abi.KindMap))
	w.write("large", "12345")
	w.write("lines", "")
	for name, c := range map[string]struct {
		text string
		code stream.Code
		want []string
	}{
		"a file that is not there": {sidedText("", "rates: {file: none.json}"), stream.InputMissing, []string{"p.yaml:4:64 (vertices[1].sideInputs.rates.file): the side input has no first value", "no such file", "fix: create it"}},
		"a file that is too large": {sidedText("", "rates: {file: large, maxBytes: 4}"), stream.ConfigValue, []string{"p.yaml:4:64", "has 5 bytes, more than the 4 of maxBytes"}},
		"a folder":                 {sidedText("", "rates: {file: .}"), stream.ConfigValue, []string{"p.yaml:4:64", "is not a regular file"}},
		"a plugin that reads none": {
			strings.Replace(sidedText("", "rates: {file: large}"), "plugin: reads", "plugin: identity", 1), stream.ConfigValue,
			[]string{"p.yaml:4:52 (vertices[1].sideInputs): plugin abitest reads no side inputs", "fix: remove them"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, g, err := w.build(c.text, "")
			if err == nil {
				t.Fatal("it was built", closeTransforms(t.Context(), g))
			}
			faults := config.Faults(err)
			if len(faults) != 1 || faults[0].Code != c.code {
				t.Errorf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v lacks %q", err, want)
				}
			}
		})
	}
}

func TestANativeStandInWithoutSideInputsIsRefused(t *testing.T) {
	w := newWorkshop(t)
	w.write("r.json", "x")
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(sidedText("", "rates: {file: r.json}"))}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	b := Builder{Engine: w.engine, PluginsDir: w.dir, Lent: Lent{Dir: w.dir}, Native: map[string]func() stream.Transform{"reads": func() stream.Transform { return nothing{} }}}
	if _, err := b.Build(t.Context(), c); err == nil || !strings.Contains(err.Error(), "takes no side inputs") {
		t.Errorf("got %v", err)
	}
}

func TestAValueThatIsTooLargeIsSaid(t *testing.T) {
	w := newWorkshop(t)
	w.plugin("reads", reader(abi.KindMap))
	w.write("lines", "12345\n")
	text := sidedText("", "rates: {maxBytes: 4}") + "  - {from: rates, to: x, side: rates}\n"
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 10)
	b := Builder{
		Engine: w.engine, PluginsDir: w.dir, Lent: Lent{Dir: w.dir, Stdin: strings.NewReader("one\n")},
		Events: stream.Events{SideNotice: func(v stream.VertexID, name, text string) { said <- string(v) + " " + name + ": " + text }},
	}
	g, err := b.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.New(g, b.Hooks())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 {
		t.Fatalf("said %d things", len(said))
	}
	if got := <-said; !strings.HasPrefix(got, "x rates: a record has 5 bytes") {
		t.Errorf("said %q", got)
	}
	if s := StatusOf(c, p).Vertices[1]; s.Dropped.Error != 1 || s.WaitsFor != nil {
		t.Errorf("the status is %+v", s)
	}
}
