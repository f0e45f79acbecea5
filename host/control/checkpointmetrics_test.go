package control

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/stream"
)

// checkpointSeries returns what is written of a status.
func checkpointSeries(t *testing.T, s durable.Status) map[string]string {
	t.Helper()
	all := scrape(t, func(w *admin.Writer) { checkpointed(w.With("pipeline", "p"), s) })
	maps.DeleteFunc(all, func(series, _ string) bool { return !strings.HasPrefix(series, "wasmill_checkpoint_") })
	return all
}

func TestMetricsOfCheckpoints(t *testing.T) {
	var s durable.Status
	synctest.Test(t, func(*testing.T) { s = fullStatus() })
	s.Last.At = time.Now().Add(-time.Hour)
	s.Totals = durable.Totals{Full: 1000, Incremental: 50, Failures: durable.Failures{Snapshot: 1, Timeout: 2, Upload: 3, Commit: 4, Fenced: 5}}
	got := checkpointSeries(t, s)
	expect(t, got, map[string]string{
		`wasmill_checkpoint_bytes_total{pipeline="p",kind="full"}`:              "1000",
		`wasmill_checkpoint_bytes_total{pipeline="p",kind="incremental"}`:       "50",
		`wasmill_checkpoint_failures_total{pipeline="p",reason="snapshot"}`:     "1",
		`wasmill_checkpoint_failures_total{pipeline="p",reason="timeout"}`:      "2",
		`wasmill_checkpoint_failures_total{pipeline="p",reason="upload"}`:       "3",
		`wasmill_checkpoint_failures_total{pipeline="p",reason="commit"}`:       "4",
		`wasmill_checkpoint_failures_total{pipeline="p",reason="fenced"}`:       "5",
		`wasmill_checkpoint_completed_total{pipeline="p"}`:                      "6",
		`wasmill_checkpoint_in_flight_epochs{pipeline="p"}`:                     "1",
		`wasmill_checkpoint_kept_epochs{pipeline="p"}`:                          "4",
		`wasmill_checkpoint_interval_seconds{pipeline="p"}`:                     "12",
		`wasmill_checkpoint_restore_seconds{pipeline="p"}`:                      "0.25",
		`wasmill_checkpoint_duration_seconds_count{pipeline="p",phase="align"}`: "0",
	})
	if age := got[`wasmill_checkpoint_age_seconds{pipeline="p"}`]; !strings.HasPrefix(age, "360") {
		t.Errorf("the age is %s", age)
	}
	for _, phase := range []string{"align", "pause", "upload", "commit"} {
		if got[`wasmill_checkpoint_duration_seconds_bucket{pipeline="p",phase="`+phase+`",le="+Inf"}`] != "0" {
			t.Errorf("there is no %s", phase)
		}
	}
}

func TestWhatIsNotKnownOfCheckpointsIsAbsent(t *testing.T) {
	for name, value := range checkpointSeries(t, durable.Status{}) {
		if value != "0" || strings.Contains(name, "age") || strings.Contains(name, "interval") || strings.Contains(name, "restore") || strings.Contains(name, "kept") {
			t.Errorf("before the start there is %s %s", name, value)
		}
	}
	got := checkpointSeries(t, durable.Status{Revision: 1, Restored: stream.Restoration{Epoch: 3, Created: time.Now().Add(-time.Hour)}})
	if age := got[`wasmill_checkpoint_age_seconds{pipeline="p"}`]; !strings.HasPrefix(age, "360") {
		t.Errorf("the age of what was restored is %q", age)
	}
	if got[`wasmill_checkpoint_interval_seconds{pipeline="p"}`] != "0" {
		t.Error("on request only is no interval of 0")
	}
}
