package abi

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheExampleOfTheSpecification reads the frames in hex of ABI.md §8 with
// this codec, and writes them again.
func TestTheExampleOfTheSpecification(t *testing.T) {
	page, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	memory := make([]byte, 64<<10)
	load := func(block string) {
		_, text, ok := strings.Cut(string(page), "```"+block+"\n")
		if !ok {
			t.Fatalf("ABI.md has no block %s", block)
		}
		text, _, _ = strings.Cut(text, "```")
		line := regexp.MustCompile(`^([0-9a-f]{4})  ((?:[0-9a-f]{2} {0,2})+)`)
		for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
			m := line.FindStringSubmatch(l)
			addr, err := strconv.ParseUint(m[1], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			b, err := hex.DecodeString(strings.ReplaceAll(m[2], " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			copy(memory[addr:], b)
		}
	}
	load("input")
	h, table, err := InTable(memory, 0x1000)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Header{Count: 1, Records: 0x1020, Now: 2, Watermark: -1 << 63, Seed: 3}); h != want {
		t.Errorf("header %+v, want %+v", h, want)
	}
	var in In
	in.Take((*[InSize]byte)(table))
	text := func(r Ref) string {
		b, ok := r.In(memory)
		if !ok {
			t.Fatalf("%+v is not in memory", r)
		}
		return string(b)
	}
	if in.Time != 1 || text(in.Key) != "k" || text(in.Value) != "hello" || text(in.Headers) != "" || in.Port != 0 || in.Kind != 0 {
		t.Errorf("record %+v", in)
	}
	var header [HeaderSize]byte
	h.Put(&header)
	var record [InSize]byte
	in.Put(&record)
	if !bytes.Equal(header[:], memory[0x1000:0x1020]) || !bytes.Equal(record[:], memory[0x1020:0x1048]) {
		t.Error("writing the input frame again gives other bytes")
	}

	load("output")
	table, err = OutTable(memory, 0x3000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var out Out
	out.Take((*[OutSize]byte)(table))
	if out.Time != 1 || text(out.Key) != "k" || text(out.Value) != "hello" || out.Input != 0 || out.Outcome != OutcomeEmit || text(out.Tag) != "seen" {
		t.Errorf("entry %+v", out)
	}
	var entry [OutSize]byte
	out.Put(&entry)
	if !bytes.Equal(entry[:], table) {
		t.Error("writing the output entry again gives other bytes")
	}
}

func TestTheSpecificationNamesWhatTheCodeDoes(t *testing.T) {
	page, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		ExportMemory, ExportMarker, ExportDescribe, ExportInput, ExportProcess, ExportConfigure, ExportInitialize,
		ImportStateGet, ImportStatePut, ImportStateDelete, ImportStateList, ImportTimerSet, ImportTimerDelete, ImportSideVersion, ImportSideRead, string(KindMap), string(KindProcess),
		ImportLog, ImportNow, ImportRandom, string(CapabilityLog), string(CapabilityClock), string(CapabilityRandom),
	} {
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("ABI.md does not mention %s", name)
		}
	}
}

func TestHeaderBlocks(t *testing.T) {
	block := AppendHeader(AppendHeader(AppendHeader(nil, "a", []byte("1")), "", nil), "a", []byte("2"))
	if v, ok := LookupHeader(block, "a"); !ok || string(v) != "1" {
		t.Errorf("looked up %q, %v, want the first value", v, ok)
	}
	if _, ok := LookupHeader(block, "b"); ok {
		t.Error("found a header that is not there")
	}
	for n := range len(block) {
		if ValidHeaders(block[:n]) != (n == 0 || n == 10 || n == 18) {
			t.Errorf("block cut to %d bytes: valid is %v", n, ValidHeaders(block[:n]))
		}
	}
}

func FuzzTables(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint32(0), uint16(5))
	f.Add(bytes.Repeat([]byte{0xff}, 64), uint32(8), uint16(1000))
	f.Fuzz(func(t *testing.T, memory []byte, addr uint32, max uint16) {
		if table, err := OutTable(memory, addr, int(max)); err == nil {
			if len(table)%OutSize != 0 || len(table)/OutSize > int(max) {
				t.Errorf("table of %d bytes", len(table))
			}
			for k := 0; k < len(table); k += OutSize {
				var e, again Out
				var raw [OutSize]byte
				e.Take((*[OutSize]byte)(table[k:]))
				e.Put(&raw)
				again.Take(&raw)
				if e != again || !bytes.Equal(raw[:], table[k:k+OutSize]) {
					t.Errorf("entry %+v does not survive writing", e)
				}
				e.Value.In(memory)
			}
		}
		if h, table, err := InTable(memory, addr); err == nil && len(table) != int(h.Count)*InSize {
			t.Errorf("table of %d bytes for %d records", len(table), h.Count)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	f.Add(AppendHeader(nil, "name", []byte("value")), "name", []byte("x"))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255}, "", []byte{})
	f.Fuzz(func(t *testing.T, block []byte, name string, value []byte) {
		LookupHeader(block, name)
		if !ValidHeaders(block) {
			return
		}
		longer := AppendHeader(bytes.Clone(block), name, value)
		put := make([]byte, HeaderBytes([]byte(name), value))
		if PutHeader(put, []byte(name), value); !bytes.Equal(put, longer[len(block):]) {
			t.Errorf("PutHeader writes %q, AppendHeader %q", put, longer[len(block):])
		}
		if !ValidHeaders(longer) {
			t.Error("a header made a block invalid")
		}
		if _, ok := LookupHeader(longer, name); !ok {
			t.Error("a header that was added is not found")
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add([]byte(`{"name":"a","kind":"map","tags":["x"]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := ParseDescription(data); err == nil && (d.Name == "" || !slices.Contains(Kinds(), d.Kind)) {
			t.Errorf("accepted %+v", d)
		}
	})
}

func BenchmarkPutIn(b *testing.B) {
	dst := make([]byte, 1024*InSize)
	r := In{Time: 1, Value: Ref{2, 3}}
	b.ReportAllocs()
	for b.Loop() {
		for k := 0; k < len(dst); k += InSize {
			r.Put((*[InSize]byte)(dst[k:]))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
}

func BenchmarkTakeOut(b *testing.B) {
	src := make([]byte, 1024*OutSize)
	var e Out
	b.ReportAllocs()
	for b.Loop() {
		for k := 0; k < len(src); k += OutSize {
			e.Take((*[OutSize]byte)(src[k:]))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
}
