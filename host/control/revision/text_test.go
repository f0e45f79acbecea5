package revision

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func example() Revision {
	content := []byte("name: p\n\nvertices: []\n")
	return Revision{Number: 7, SHA256: Sum(content), Time: time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC), Origin: File, Class: "live", Content: content}
}

func same(a, b Revision) bool {
	return a.Number == b.Number && a.SHA256 == b.SHA256 && a.Time.Equal(b.Time) && a.Origin == b.Origin && a.Class == b.Class && bytes.Equal(a.Content, b.Content)
}

// TestWhatIsDamagedIsSeen changes the file of a revision in one place each.
func TestWhatIsDamagedIsSeen(t *testing.T) {
	whole := string(encode(example()))
	if r, err := decode([]byte(whole)); err != nil || !same(r, example()) {
		t.Fatalf("it is %+v, %v", r, err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"another format is not read", "revision 1\n", "revision 2\n", "first line"},
		{"a number has to be one", "revision: 7", "revision: seven", "line 2"},
		{"a number begins with 1", "revision: 7", "revision: 0", "line 2"},
		{"a time has to be one", "2026-03", "2026-13", "line 4"},
		{"a time is in UTC", "08Z", "08+01:00", "line 4"},
		{"a line that is missing is missed", "origin: file\n", "", "5 lines"},
		{"a key has its place", "origin: file", "class: file", "line 5"},
		{"a content that was edited is not the one", "vertices", "Vertices", "SHA-256"},
		{"a content that was cut is not the one", "[]\n", "", "SHA-256"},
		{"nothing is no revision", whole, "", "begin"},
		{"the head is bounded", "class: live", "class: " + strings.Repeat("x", maxHead), "begin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(whole, c.old, c.new, 1)
			if _, err := decode([]byte(text)); text == whole || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %v, want %q", err, c.want)
			}
		})
	}
	large := example()
	large.Content = make([]byte, maxContent+1)
	if _, err := decode(encode(large)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a content that is too large: %v", err)
	}
}

// FuzzDecode: what can be read is what is written of it.
func FuzzDecode(f *testing.F) {
	f.Add(encode(example()))
	f.Add([]byte(title + "\nrevision: 1\nsha256: \ntime: \norigin: \nclass: \n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data)
		if err != nil {
			return
		}
		again, err := decode(encode(r))
		if err != nil || !same(r, again) {
			t.Errorf("%q is %+v, and what is written of that %+v, %v", data, r, again, err)
		}
	})
}
