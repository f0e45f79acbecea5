package instance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstanceIsDeletedFromEveryStoreThatItHad edits its storage between two runs.
func TestInstanceIsDeletedFromEveryStoreThatItHad(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	if _, err := i.Shutdown(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(read(t, i.PipelineFile()), "./checkpoints", "./others", 1)
	if err := os.WriteFile(i.PipelineFile(), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	p.goesOn(i)
	if err := os.WriteFile(i.PipelineFile(), []byte("no pipeline"), 0o600); err != nil { // it is not needed any more
		t.Fatal(err)
	}
	for _, folder := range []string{"checkpoints", "others"} {
		if found, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Dir), folder, "a/*/*")); len(found) == 0 {
			t.Errorf("nothing is in %s", folder)
		}
	}
	p.goes(i)
	if found, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Dir), "others/a/*/*")); len(found) > 0 {
		t.Errorf("there is %v", found)
	}
}

// TestDeletionMakesRoomForItsState looks at what there is when the state is written, as it has to
// be on a disk that is full.
func TestDeletionMakesRoomForItsState(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	if _, err := i.Shutdown(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	p.step = func(name string) {
		if _, err := os.Stat(i.LogFile()); name == "deleting" && !os.IsNotExist(err) {
			t.Errorf("its log is there: %v", err)
		}
	}
	p.goes(i)
}

// TestDeletionLeavesWhatIsNotOfWasmill puts files into the folder for data that it was
// created with.
func TestDeletionLeavesWhatIsNotOfWasmill(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	theirs := filepath.Join(i.Spec.Data, "of-a-sink", "out.txt")
	if err := os.MkdirAll(filepath.Dir(theirs), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	left := 0
	err := i.Delete(t.Context(), true, false, func(r Removed) {
		if r.What == "data" {
			left = r.Left
		}
	})
	if err != nil || left != 1 || read(t, theirs) != "precious" {
		t.Errorf("deleted: %v, of which %d are said to stay", err, left)
	}
	entries, err := os.ReadDir(i.Spec.Data)
	if err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}
