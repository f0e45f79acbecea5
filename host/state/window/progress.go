package window

import (
	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// progress is what is known of a group beside its windows, and as much a part of
// checkpoints as they are.
type progress struct {
	reached stream.Watermark // everything due by then is done
	latest  int64            // the latest event time that came
	used    bool             // a record came
}

var fresh = progress{reached: stream.NoWatermark}

// note writes a progress as it is stored.
func (p *progress) note(n []int64) {
	n[0], n[1], n[2] = int64(p.reached), p.latest, 0
	if p.used {
		n[2] = 1
	}
}

// tables returns all that a vertex remembers: its windows with their members and
// timers, and the progress of each group.
func tables(groups int, of func(g state.Group) *progress, m *memory, timers *state.Timers) state.Tables {
	begin := make([]int64, 3)
	fresh.note(begin)
	return state.NewTables(groups, state.Notes{
		Fresh: begin,
		Note:  func(g state.Group, n []int64) { of(g).note(n) },
		Recall: func(g state.Group, n []int64) {
			*of(g) = progress{stream.Watermark(n[0]), n[1], n[2] != 0}
		},
	}, state.Table{Name: "entries", Held: m.Memory}, state.Table{Name: "members", Held: m.members}, state.Table{Name: "timers", Held: timers})
}
