package project

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDevBuildsAtEachEdit waits for what it does; nothing else ends the test but its
// deadline.
func TestDevBuildsAtEachEdit(t *testing.T) {
	p := &Project{Dir: t.TempDir(), Name: "f", Language: C, Source: "f.c"}
	edit(t, p, "one")
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(p.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("f.yaml", "one")
	put("wasmill/wasmill.h", "one")
	did := make(chan string)
	tell := func(text string) {
		select {
		case did <- text:
		case <-t.Context().Done():
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	dev := Dev{Project: p, Build: func(context.Context) { tell("built") }, Edited: func() { tell("edited") }}
	go func() { ended <- dev.Run(ctx) }()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-did:
			if got != want {
				t.Fatalf("it %s, want %s", got, want)
			}
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Minute):
			t.Fatalf("it never %s", want)
		}
	}
	next("built")
	edit(t, p, "two")
	next("built")
	put("f.yaml", "two")
	next("edited")
	put("notes.txt", "of no interest")
	put("wasmill/wasmill.h", "two")
	next("built")
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
}
