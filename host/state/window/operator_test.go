package window

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestStories steps operators through what a user would see. A line is a record,
// key@time=value; a watermark, >time; or what must have been said since the last
// such line.
func TestStories(t *testing.T) {
	tests := []struct {
		name  string
		spec  Spec
		agg   string
		story string
	}{
		{"a fixed window gives its result as the watermark gets to its end, without another record", Spec{Kind: Fixed, Size: 10}, "sum", `
			a@1=1  b@9=2  a@9=3  a@10=7
			>9
			>10 | a [0,10) 4 on-time | b [0,10) 2 on-time
			>end | a [10,20) 7 on-time`},
		{"a sliding window whose size is no multiple of its slide", Spec{Kind: Sliding, Size: 10, Slide: 4}, "count", `
			a@8=1
			>end | a [0,10) 1 on-time | a [4,14) 1 on-time | a [8,18) 1 on-time`},
		{"a record that is late for some of its sliding windows", Spec{Kind: Sliding, Size: 10, Slide: 5}, "count", `
			>10 | 
			a@7=1  late:a@4=1
			>end | a [5,15) 1 on-time`},
		{"records bring three sessions together", Spec{Kind: Session, Gap: 10}, "sum", `
			a@20=4  a@0=1  a@10=2  b@5=9
			a@9=8  a@19=16
			>29 | b [5,15) 9 on-time
			>30 | a [0,30) 31 on-time`},
		{"a record between two sessions", Spec{Kind: Session, Gap: 10}, "sum", `
			a@0=1  a@18=2  a@36=3
			a@27=4 a@9=5
			>45
			>46 | a [0,46) 15 on-time`},
		{"sessions that touch are two", Spec{Kind: Session, Gap: 10}, "sum", `
			a@0=1  a@10=2
			>10 | a [0,10) 1 on-time
			>20 | a [10,20) 2 on-time`},
		{"late records within the lateness give one more result each time", Spec{Kind: Fixed, Size: 10, Lateness: 5}, "sum", `
			a@1=1
			>10 | a [0,10) 1 on-time
			a@2=2  a@3=3  b@4=4
			>10 | a [0,10) 6 late | b [0,10) 4 late
			>14
			a@5=4
			>14 | a [0,10) 10 late
			>15
			late:a@5=5`},
		{"a late record opens a session again", Spec{Kind: Session, Gap: 10, Lateness: 100}, "sum", `
			a@0=1
			>12 | a [0,10) 1 on-time
			a@5=2
			>14
			>15 | a [0,15) 3 on-time
			a@1=3
			>15 | a [0,15) 6 late
			a@20=4
			>29
			>30 | a [20,30) 4 on-time
			a@12=1
			>30 | a [0,30) 11 late
			>130
			late:a@5=5`},
		{"early results every two records", Spec{Kind: Fixed, Size: 10, EveryRecords: 2}, "sum", `
			a@1=1
			a@2=2 | a [0,10) 3 early
			a@3=3  b@3=1
			a@4=4 | a [0,10) 10 early
			>10 | a [0,10) 10 on-time | b [0,10) 1 on-time`},
		{"early results as event time passes", Spec{Kind: Global, Every: 10}, "count", `
			a@1=1  a@15=1
			>9
			>10 | a [min,max) 2 early
			>20
			a@21=1
			>29
			>35 | a [min,max) 3 early
			>end | a [min,max) 3 on-time`},
		{"no early result beside one on time", Spec{Kind: Fixed, Size: 10, Every: 3}, "count", `
			a@1=1
			>10 | a [0,10) 1 on-time`},
		{"keys of any bytes", Spec{Kind: Fixed, Size: 10}, "count", `
			@1=1  ` + "\x00@1=1 a\x00@1=1 \xff" + `@1=1  a@1=1
			>end | ` + " [0,10) 1 on-time | \x00 [0,10) 1 on-time | a [0,10) 1 on-time | a\x00 [0,10) 1 on-time | \xff [0,10) 1 on-time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agg, err := Builtin(tt.agg, 0)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, tt.spec, agg)
			for line := range strings.Lines(tt.story) {
				w.tell(strings.Trim(line, " \t\n"))
				w.restore()
			}
		})
	}
}

func TestARecordThatIsRefusedChangesNothing(t *testing.T) {
	for _, spec := range []Spec{{Kind: Fixed, Size: 10}, {Kind: Sliding, Size: 10, Slide: 5}, {Kind: Session, Gap: 10}, {Kind: Global}} {
		w := newWorld(t, spec, sum{})
		w.add("a", 1, "1")
		for _, key := range []string{"a", "b"} {
			_, err := w.Add(0, Record{Key: []byte(key), Time: 5, Value: []byte("x")}, noWatermark, w.hear)
			if stream.CodeOf(err) != stream.RecordError || !strings.Contains(err.Error(), `"x"`) {
				t.Errorf("%s: got %v", spec.Kind, err)
			}
		}
		w.advance(int64(endOfTime))
		if got := w.heard(); slices.ContainsFunc(got, func(s string) bool { return !strings.Contains(s, ") 1 on-time") }) {
			t.Errorf("%s: said %q", spec.Kind, got)
		}
	}
}

func TestAStoreWithoutRoomIsReported(t *testing.T) {
	for _, spec := range []Spec{{Kind: Fixed, Size: 10}, {Kind: Session, Gap: 10}} {
		w := newWorld(t, spec, sum{})
		w.add("a", 1, "1")
		w.store.full = true
		w.add("a", 2, "1")
		if _, err := w.Add(0, Record{Key: []byte("b"), Value: []byte("1")}, noWatermark, w.hear); !errors.Is(err, errFull) {
			t.Errorf("%s: got %v", spec.Kind, err)
		}
	}
}
