package control

import (
	"encoding/json"
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/stream"
)

// full is a status in which everything is known.
func fullStatus() durable.Status {
	a := checkpoint.Adaptive{Min: time.Second, Max: time.Minute, RecoveryTime: 30 * time.Second}
	s := durable.Status{
		Interval: 12 * time.Second, Revision: 3, Next: -500 * time.Millisecond, InARow: 2, Kept: 4,
		LastErr: &stream.Error{Code: stream.StoreDenied, Where: "s3://b", Why: "no", Fix: "ask"},
		Choice: checkpoint.Choice{
			Interval: 12 * time.Second, By: checkpoint.ByCost, Adaptive: &a, MTBF: 24 * time.Hour, Optimum: 13 * time.Second, Recovery: checkpoint.Known(20),
			Inputs: checkpoint.Inputs{Cost: checkpoint.Known(0.001), Restarts: 1, Load: checkpoint.Load{
				Rate: checkpoint.Known(0), Capacity: checkpoint.Known(5), Detect: checkpoint.Known(2), Restore: checkpoint.Known(3),
			}},
		},
		InFlight: []checkpoint.Flight{{Epoch: 9, Reason: checkpoint.ReasonInterval, Phase: checkpoint.PhaseAligning, Age: 1500 * time.Millisecond, Unaligned: true, Missing: []stream.VertexID{"z", "a"}}},
		Counts:   checkpoint.Counts{Triggered: 9, Published: 7, Completed: 6, Aborted: 1, CommitsFailed: 5},
		Last:     &durable.Taken{Epoch: 8, At: time.Now(), NewBytes: 10, AllBytes: 100},
		Restored: stream.Restoration{Epoch: 1, Created: time.Now().Add(-time.Hour), Took: 250 * time.Millisecond, Bytes: 90, InFlight: 7},
	}
	time.Sleep(2 * time.Second)
	return s
}

// TestTheStatusOfCheckpointsIsReadable also holds the names that scripts rely on.
func TestTheStatusOfCheckpointsIsReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := json.MarshalIndent(checkpointStatus(fullStatus(), false), "", " ")
		const want = `{
 "interval_seconds": 12,
 "decided_by": "cost",
 "revision": 3,
 "adaptive": {
  "min_seconds": 1,
  "max_seconds": 60,
  "recovery_time_seconds": 30,
  "cost_seconds": 0.001,
  "restarts": 1,
  "mtbf_seconds": 86400,
  "rate": 0,
  "capacity": 5,
  "detect_seconds": 2,
  "restore_seconds": 3,
  "optimum_seconds": 13,
  "recovery_bound_seconds": 20
 },
 "next_seconds": -0.5,
 "last": {
  "epoch": 8,
  "at": "2000-01-01T00:00:00Z",
  "age_seconds": 2,
  "new_bytes": 10,
  "total_bytes": 100
 },
 "in_flight": [
  {
   "epoch": 9,
   "reason": "interval",
   "phase": "aligning",
   "age_seconds": 1.5,
   "unaligned": true,
   "waits_for": [
    "a",
    "z"
   ]
  }
 ],
 "restored_from": {
  "epoch": 1,
  "at": "1999-12-31T23:00:00Z",
  "seconds": 0.25,
  "bytes": 90,
  "in_flight": 7
 },
 "kept": 4,
 "triggered": 9,
 "published": 7,
 "completed": 6,
 "aborted": 1,
 "commits_failed": 5,
 "failures_in_a_row": 2,
 "last_error": "s3://b: no [store-denied]; ask"
}`
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v", got, err)
		}
	})
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	a := checkpoint.Adaptive{Min: time.Second, Max: time.Minute}
	for name, test := range map[string]struct {
		status durable.Status
		ended  bool
		nulls  string
	}{
		"before the restore": {durable.Status{}, false, "interval_seconds next_seconds last restored_from kept last_error"},
		"adaptive, with nothing measured": {
			durable.Status{Revision: 1, Interval: time.Second, Choice: checkpoint.Choice{Adaptive: &a, MTBF: time.Hour}}, false,
			"recovery_time_seconds cost_seconds rate capacity detect_seconds restore_seconds optimum_seconds recovery_bound_seconds last restored_from kept last_error",
		},
		"on request only": {durable.Status{Revision: 1}, false, "next_seconds last restored_from kept last_error"},
		"after the end": {
			durable.Status{Revision: 1, Interval: time.Second, Next: time.Second, Last: &durable.Taken{}, Kept: 1, LastErr: errors.New("x"), Restored: stream.Restoration{Epoch: 1}}, true,
			"next_seconds",
		},
	} {
		got, err := json.Marshal(checkpointStatus(test.status, test.ended))
		if err != nil {
			t.Fatal(err)
		}
		nulls := ""
		for _, m := range regexp.MustCompile(`"(\w+)":null`).FindAllStringSubmatch(string(got), -1) {
			nulls += " " + m[1]
		}
		if nulls != " "+test.nulls {
			t.Errorf("%s: null are%s", name, nulls)
		}
	}
	if s := checkpointStatus(fullStatusNow(), true); len(s.InFlight) != 0 || s.InFlight == nil {
		t.Errorf("after the end there is %v in flight", s.InFlight)
	}
}

func fullStatusNow() durable.Status {
	return durable.Status{Revision: 1, InFlight: []checkpoint.Flight{{Epoch: 1}}}
}
