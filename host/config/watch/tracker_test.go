package watch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream/scripttest"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func testTracker(twice bool) *tracker {
	return &tracker{
		settle: 200 * time.Millisecond, grace: 2 * time.Second, cap: 2 * time.Second, twice: twice,
		tracks: map[string]*track{},
	}
}

// sightOf reads a word of a script: a content, an !error, or a content that is ~torn.
func sightOf(word string) sight {
	if why, ok := strings.CutPrefix(word, "!"); ok {
		return sight{state: Unreadable, err: errors.New(why)}
	}
	content, torn := strings.CutPrefix(word, "~")
	return sight{state: Present, torn: torn, data: []byte(content), size: int64(len(content)), hash: sha256.Sum256([]byte(content))}
}

func describe(f File) string {
	switch f.State {
	case Present:
		return strconv.Quote(string(f.Data))
	case Unreadable:
		return "unreadable: " + f.Err.Error()
	}
	return "missing"
}

// script is one of a tracker. A line with what kind of files there are begins it anew.
type script struct {
	*scripttest.Script
	t *tracker
}

// step runs one line of a script, such as "400 look a=one b=!denied", and says what the
// tracker tells and when it wants to look again.
func (s *script) step(words []string) {
	if kind := words[0]; kind == "small" || kind == "large" {
		s.t = testTracker(kind == "large")
		return
	}
	now := epoch.Add(time.Duration(s.Number(words[0])) * time.Millisecond)
	switch words[1] {
	case "hear":
		s.t.hear(words[2], now)
	case "look":
		was := map[string]File{}
		for name, k := range s.t.tracks {
			was[name] = k.told
		}
		sights := map[string]sight{}
		for _, w := range words[2:] {
			name, content, _ := strings.Cut(w, "=")
			sights[name] = sightOf(content)
		}
		s.t.look(sights, now)
		for _, name := range slices.Sorted(maps.Keys(s.t.tracks)) {
			if is := s.t.tracks[name].told; !is.equal(was[name]) {
				s.Say("told %s %s", name, describe(is))
			}
		}
	default:
		s.Fatalf("event %s", words[1])
	}
	if at, ok := s.t.due(); ok {
		s.Say("due %d", at.Sub(epoch).Milliseconds())
	}
}

// TestScripts runs the stories of testdata.
func TestScripts(t *testing.T) {
	scripttest.Steps(t, "testdata/*.txt", 3, func(s *scripttest.Script) func([]string) { return (&script{Script: s}).step })
}

// TestWhatRestsIsTold steps a tracker through what may happen to a file, and checks it
// against what the file was.
func TestWhatRestsIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, deaf := testTracker(rapid.Bool().Draw(t, "large")), rapid.Bool().Draw(t, "deaf")
		now, word, before := epoch, "one", "one" // before is at the last look
		quiet, busy := now, now                  // since when the file is as it is; since when it has not been told
		look := func() {
			if word != before && (deaf || tr.twice) {
				quiet = now // it is not known for longer
			}
			before = word
			sights := map[string]sight{}
			if word != "" {
				sights["f"] = sightOf(word)
			}
			first, was := !tr.started, File{}
			if k := tr.tracks["f"]; k != nil {
				was = k.told
			}
			news := tr.look(sights, now)
			k := tr.tracks["f"]
			if k == nil {
				k = &track{} // not remembered is missing
			}
			if changed := !k.told.equal(was); changed != news {
				t.Fatalf("told %s after %s, and news is %v", describe(k.told), describe(was), news)
			}
			if !news {
				return
			}
			if word == "~torn" || !sights["f"].file(k.told).equal(k.told) {
				t.Fatalf("told %s while it is %q", describe(k.told), word)
			}
			rested, need := now.Sub(quiet), tr.quiet(sights["f"])
			capped := !tr.twice && now.Sub(busy) >= tr.cap && !sights["f"].doubtful()
			if !(first && (!tr.twice || sights["f"].doubtful())) && rested < need && !capped {
				t.Fatalf("told %s after a rest of %v", describe(k.told), rested)
			}
			busy = now
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 120, 200, 900, 2100}).Draw(t, "ms")) * time.Millisecond)
			switch rapid.SampledFrom([]string{"write", "write", "chmod", "look", "look", "wait"}).Draw(t, "what") {
			case "write":
				word = rapid.SampledFrom([]string{"", "one", "two", "three", "!denied", "~torn"}).Draw(t, "word")
				if !deaf {
					quiet = now
					tr.hear("f", now)
				}
			case "chmod":
				if !deaf {
					tr.hear("f", now)
				}
			case "look":
				look()
			case "wait":
				if at, ok := tr.due(); ok {
					now = later(now, at)
				}
				look()
			}
		}
		if word == "~torn" {
			word, quiet = "one", now
		}
		now = now.Add(time.Second)
		look() // the poll
		for looks := 0; ; looks++ {
			at, ok := tr.due()
			if !ok {
				break
			}
			if looks > 9 || at.Before(now) {
				t.Fatalf("look %d is due at %v, and it is %v", looks, at.Sub(epoch), now.Sub(epoch))
			}
			now = at
			look()
		}
		told := File{}
		if k := tr.tracks["f"]; k != nil {
			told = k.told
		}
		last := sight{}
		if word != "" {
			last = sightOf(word)
		}
		if last.news(told) {
			t.Fatalf("in the end %s is told, and it is %q", describe(told), word)
		}
	})
}

func TestTooManyFilesThatAreGoneAreForgotten(t *testing.T) {
	tr := testTracker(false)
	all := map[string]sight{}
	for i := range maxGone + 10 {
		all[fmt.Sprintf("f%04d", i)] = sightOf("one")
	}
	tr.look(all, epoch)
	tr.look(nil, epoch.Add(time.Second))
	if news := tr.look(nil, epoch.Add(time.Minute)); !news || len(tr.tracks) != maxGone {
		t.Errorf("%d files are remembered, and news is %v", len(tr.tracks), news)
	}
}

func TestAFileThatIsForgottenIsMissing(t *testing.T) {
	was := Snapshot{serial: 1, Files: map[string]File{"f": sightOf("one").file(File{})}}
	is := Snapshot{serial: 2}
	got := is.Since(was)
	if len(got) != 1 || got[0].Is.State != Missing || got[0].Is.Hash != hashOf("one") || got[0].Content() || !is.differs(was) {
		t.Errorf("got %+v", got)
	}
}

// TestAFileThatWasChangedAMomentAgoIsReadAgain: its next change may leave its size and
// its times as they are.
func TestAFileThatWasChangedAMomentAgoIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "one")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		read  time.Duration // after the change
		fresh bool
	}{
		{"read at once", 0, false},
		{"read within the grain of a clock", coarse - 1, false},
		{"read later", coarse, true},
		{"changed in the future", -time.Hour, true},
	} {
		s := sight{state: Present}.rested(info, info.ModTime().Add(test.read))
		if got := s.fresh(info); got != test.fresh {
			t.Errorf("%s: fresh is %v", test.name, got)
		}
	}
}
