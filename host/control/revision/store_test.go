package revision

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/whole"
)

func add(t *testing.T, s *Store, content string, least Number) Number {
	t.Helper()
	n, err := s.Add(Revision{Time: time.Now(), Origin: File, Class: "live", Content: []byte(content)}, least)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func list(t *testing.T, s *Store) (all []Number, damaged []error) {
	t.Helper()
	revisions, damaged, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range revisions {
		all = append(all, r.Number)
	}
	return all, damaged
}

// names are all files of a store.
func names(t *testing.T, s *Store) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestNumbersGoOnAndTheLastStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "revisions", "p")
	if all, damaged := list(t, NewStore(dir, 3)); all != nil || damaged != nil {
		t.Errorf("of nothing there is %v, %v", all, damaged)
	}
	for i := range 5 {
		s := NewStore(dir, 3) // of a process each
		if n := add(t, s, fmt.Sprint("content ", i), 0); n != Number(i+1) {
			t.Errorf("number %d is %d", i+1, n)
		}
	}
	s := NewStore(dir, 3)
	if all, _ := list(t, s); !slices.Equal(all, []Number{5, 4, 3}) {
		t.Errorf("there are %v", all)
	}
	r, err := s.Read(4)
	if err != nil || string(r.Content) != "content 3" || r.SHA256 != Sum(r.Content) || r.Origin != File || r.Class != "live" {
		t.Errorf("revision 4 is %+v, %v", r, err)
	}
	if _, err := s.Read(2); stream.CodeOf(err) != stream.RevisionUnknown {
		t.Errorf("one that has gone: %v", err)
	}
	if n := add(t, s, "later", 9); n != 9 {
		t.Errorf("at least 9 is %d", n)
	}
	if n := add(t, s, "later", 3); n != 10 {
		t.Errorf("a number was given twice: %d", n)
	}
	for _, name := range names(t, s) {
		if whole.Temporary(name) {
			t.Errorf("%s was left", name)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestAConfigIsKeptOnce adds the same content under several numbers.
func TestAConfigIsKeptOnce(t *testing.T) {
	s := NewStore(t.TempDir(), 3)
	for _, content := range []string{"a", "b", "b", "b", "b", "c", "c", "b"} {
		add(t, s, content, 0)
	}
	all, err := s.Read(8)
	if numbers, _ := list(t, s); !slices.Equal(numbers, []Number{8, 7, 5}) || err != nil || string(all.Content) != "b" {
		t.Errorf("there are %v, %v, %q", numbers, err, all.Content)
	}
}

func TestDamagedFilesAreToldAndPassedOver(t *testing.T) {
	s := NewStore(t.TempDir(), 1)
	add(t, s, "one", 0)
	first := filepath.Join(s.Dir(), nameOf(1))
	text, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{nameOf(2): text[:len(text)-1], nameOf(3): text, "notes.txt": []byte("kept")} {
		if err := os.WriteFile(filepath.Join(s.Dir(), name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, damaged := list(t, s)
	if !slices.Equal(all, []Number{1}) || len(damaged) != 2 {
		t.Fatalf("there are %v, and damaged %v", all, damaged)
	}
	for i, want := range []string{"it says that it is revision 1", "SHA-256"} {
		if err := damaged[i]; stream.CodeOf(err) != stream.RevisionDamaged || !strings.Contains(err.Error(), want) {
			t.Errorf("damaged is %v, want %q", err, want)
		}
	}
	if n := add(t, s, "two", 0); n != 4 {
		t.Errorf("after damaged ones comes %d", n)
	}
	if got := names(t, s); !slices.Equal(got, []string{nameOf(4), "notes.txt"}) {
		t.Errorf("left are %v", got)
	}
}

// TestTwoProcessesShareAFolder: each revision has a number of its own, and is whole.
func TestTwoProcessesShareAFolder(t *testing.T) {
	dir := t.TempDir()
	const each = 25
	var both sync.WaitGroup
	taken := make([][]Number, 2)
	for i := range taken {
		both.Go(func() {
			s := NewStore(dir, 2*each)
			for n := range each {
				got, err := s.Add(Revision{Time: time.Now(), Origin: Start, Content: fmt.Appendf(nil, "%d of %d", n, i)}, 0)
				if err != nil {
					t.Error(err)
				}
				taken[i] = append(taken[i], got)
			}
		})
	}
	both.Wait()
	s := NewStore(dir, 2*each)
	all, damaged := list(t, s)
	if len(all) != 2*each || damaged != nil {
		t.Errorf("there are %v, and damaged %v", all, damaged)
	}
	for i, numbers := range taken {
		for n, number := range numbers {
			if r, err := s.Read(number); err != nil || string(r.Content) != fmt.Sprintf("%d of %d", n, i) {
				t.Errorf("revision %d is %q, %v", number, r.Content, err)
			}
		}
	}
}

func TestWhatADeadWriterHasLeftGoes(t *testing.T) {
	s := NewStore(t.TempDir(), 1)
	old, fresh := ".tmp-"+rand.Text(), ".tmp-"+rand.Text()
	for name, age := range map[string]time.Duration{old: 2 * time.Hour, fresh: time.Hour / 2} {
		path := filepath.Join(s.Dir(), name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if at := time.Now().Add(-age); os.Chtimes(path, at, at) != nil {
			t.Fatal("its time cannot be set")
		}
	}
	add(t, s, "one", 0)
	if got := names(t, s); !slices.Equal(got, []string{fresh, nameOf(1)}) {
		t.Errorf("left are %v", got)
	}
}

func TestAFolderThatCannotBeOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewStore(filepath.Join(file, "p"), 1)
	_, err := s.Add(Revision{}, 0)
	if stream.CodeOf(err) != stream.Environment || !strings.Contains(err.Error(), "data.dir") {
		t.Errorf("it says %v", err)
	}
	if _, err := NewStore(t.TempDir(), 1).Add(Revision{Content: make([]byte, maxContent+1)}, 0); err == nil {
		t.Error("a content that is too large is kept")
	}
}
