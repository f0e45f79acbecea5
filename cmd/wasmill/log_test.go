package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

func TestSafeEscapesWhatSteersATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"plain text, \"quoted\", 日本":       "plain text, \"quoted\", 日本",
		"\x1b]0;title\a\x1b[2J":            `\x1b]0;title\a\x1b[2J`,
		"a\nlevel=ERROR msg=\"not so\"\r":  `a\nlevel=ERROR msg="not so"\r`,
		"\u009b31m, \u202e, \ufeff":        `\u009b31m, \u202e, \ufeff`,
		"broken \xff\x9b, replaced \ufffd": `broken \xff\x9b, replaced ` + "\ufffd",
	} {
		if got := safe(text); got != want {
			t.Errorf("%q: got %s", text, got)
		}
	}
}

// TestAGuestCannotSteerATerminal runs a guest that logs and prints what a
// terminal would obey, and then traps.
func TestAGuestCannotSteerATerminal(t *testing.T) {
	w := newWorkshop(t)
	const steer = "\x1b[2J\x1b]0;title\a\r\nlevel=ERROR \u009b31m\u202e\xff"
	var printing uint32
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
		printing = a.Import("wasi_snapshot_preview1", "fd_write", bytes.Repeat([]byte{abitest.I32}, 4), []byte{abitest.I32})
	})
	a.Data(0x1000, []byte(steer))
	a.Data(0x100, []byte{0, 0x10, 0, 0, byte(len(steer)), 0, 0, 0})
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(2), abitest.Const(0x1000), abitest.Const(int32(len(steer))), abitest.Call(0),
		abitest.Const(2), abitest.Const(0x100), abitest.Const(1), abitest.Const(0x200), abitest.Call(printing), abitest.Op(abitest.Drop),
		abitest.Op(abitest.Unreachable))
	w.write("plugins/steers.wasm", string(a.Bytes()))
	w.write("p.yaml", strings.Replace(plain, "plugin: identity", "plugin: steers, grant: [log]", 1))
	for _, format := range []string{"text", "json"} {
		exit, out, text := w.wasmill("run", "p.yaml", "--set", "log.format="+format)
		if exit == 0 || !strings.Contains(text, "guest says") || !strings.Contains(text, "it printed") {
			t.Errorf("%s: exit %d: %q", format, exit, text)
		}
		for _, r := range strings.ReplaceAll(out+text, "\n", "") {
			if !unicode.IsPrint(r) {
				t.Fatalf("%s: %q in %q", format, r, out+text)
			}
		}
		if strings.Contains("\n"+text, "\nlevel=ERROR \\") {
			t.Errorf("%s: the guest wrote a line of its own: %q", format, text)
		}
	}
}

func TestCheckCannotSteerATerminal(t *testing.T) {
	w := newWorkshop(t)
	a := abitest.NewGuest()
	a.Data(0x1000, []byte("\x1b[2Jno"))
	a.Func(abi.ExportConfigure, []byte{abitest.I32, abitest.I32}, []byte{abitest.I64}, nil, abitest.Const64(0x1000<<32|6))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	w.write("plugins/refuses.wasm", string(a.Bytes()))
	if exit, out, _ := w.wasmill("plugin", "check", "refuses"); exit != 2 || !strings.Contains(out, `\x1b[2Jno`) || strings.ContainsRune(out, '\x1b') {
		t.Errorf("exit %d: %q", exit, out)
	}
}

// TestAScreenPassesLinesOnAsTheyAre holds the table to be the only one that
// moves the cursor.
func TestAScreenPassesLinesOnAsTheyAre(t *testing.T) {
	r, file, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{file: file}
	if err := s.show("a\nb\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != "a\nb\n\x1b[2A\x1b[Jline\na\nb\n" {
		t.Errorf("%q, %v", got, err)
	}
}
