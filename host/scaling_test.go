package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
)

func TestAVertexFollowsWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openScaling(t, scaledText("stdin", "concurrency: 1, scale: "+usualScale))
		s.wants(1)
		if v := s.look().Scale; v.Wanted != nil || v.Rate != nil || v.Pending != nil {
			t.Errorf("known before it was measured: %+v", v)
		}
		s.feed(25, time.Minute)
		if v := s.look().Scale; v.Instances < 3 || v.Wanted == nil || v.Rate == nil || *v.Rate < 20 || v.Pending == nil || v.Reason == "" {
			t.Errorf("under load: %+v", v)
		}
		s.feed(5, 2*time.Minute)
		s.wants(1)
		time.Sleep(2 * time.Minute)
		s.wants(0)
		if v := s.look().Scale; v.Kind != scale.Asleep || v.Wanted == nil || *v.Wanted != 0 {
			t.Errorf("asleep: %+v", v)
		}
		for range 3 { // between ticks, so that no tick helps
			time.Sleep(300 * time.Millisecond)
			go s.feed(1, time.Second)
			time.Sleep(time.Second)
			if took := s.came(1); took > 200*time.Millisecond {
				t.Errorf("it was woken after %v", took)
			}
			s.wants(1)
			time.Sleep(2 * time.Minute)
			s.wants(0)
		}
		changes := s.told()
		if first, last := changes[0], changes[len(changes)-1]; first.Vertex != "f" || first.From != 1 || first.To < 2 || first.Reason == "" || last.To != 0 {
			t.Errorf("told of %+v", changes)
		}
		if r := s.Status().Pipelines[0].Config.Revision; r != 1 {
			t.Errorf("scaling made revision %d", r)
		}
		s.end()
	})
}

// TestEditsMoveBoundsAndNotInstances edits the file of a pipeline that was scaled.
func TestEditsMoveBoundsAndNotInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		with := func(concurrency int, bounds, more string) string {
			return scaledText("stdin", fmt.Sprintf("concurrency: %d, scale: {%s, lookback: 1h, targetProcessing: 5s, cooldownUp: 5s, cooldownDown: 1h, stepUp: 2}%s", concurrency, bounds, more))
		}
		s := openScaling(t, with(1, "min: 0, max: 8", ""))
		s.feed(25, 20*time.Second)
		time.Sleep(20 * time.Second)
		busy := s.look().Scale.Instances
		if busy < 3 || busy > 7 {
			t.Fatalf("%d instances", busy)
		}
		for _, edit := range []struct {
			concurrency  int
			bounds, more string
			want         int
		}{
			{1, "min: 0, max: 8", ", queue: {maxRecords: 4000}", busy}, // of something else
			{5, "min: 0, max: 8", "", busy},                            // of where it begins
			{1, "min: 1, max: 7", "", busy},                            // that leaves it within
			{1, "min: 1, max: 2", "", 2},
			{4, "min: 4, max: 8", "", 4},
			{40, "min: 40, max: 40", "", 40}, // more than there are slots for keys for one call
		} {
			s.reload(with(edit.concurrency, edit.bounds, edit.more))
			s.wants(edit.want)
			time.Sleep(3 * time.Second)
			s.wants(edit.want)
		}
		release := s.Pipelines()[0].Scaling.Hold("a change")
		time.Sleep(3 * time.Second)
		if v := s.look().Scale; v.Kind != scale.Suspended || v.Reason != "a change" || v.Rate != nil {
			t.Errorf("held: %+v", v)
		}
		release()
		time.Sleep(3 * time.Second)
		if v := s.look().Scale; v.Kind == scale.Suspended || v.Rate == nil {
			t.Errorf("not held any more: %+v", v)
		}
		s.reload(scaledText("stdin", "concurrency: 2"))
		if v := s.look(); v.Scale != nil || v.Permits != 2 {
			t.Errorf("without scale: %+v, %d calls", v.Scale, v.Permits)
		}
		s.reload(with(2, "min: 2, max: 8", ""))
		s.wants(2)
		s.end()
	})
}

// TestAChangeHoldsScaling has a generation that takes its time until it can run, while the
// one before it does.
func TestAChangeHoldsScaling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := scaledText("{generator: {rate: 25, template: 'a{{seq}}'}}", "concurrency: 1, scale: "+usualScale)
		s := openScaling(t, text)
		time.Sleep(10 * time.Second)
		s.write(strings.Replace(text, "plugin: slowly", "plugin: late", 1))
		done := make(chan error)
		go func() {
			_, err := s.Reload(context.Background())
			done <- err
		}()
		held := 0
		for reloading := true; reloading; {
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
				reloading = false
			case <-time.After(time.Second):
				if v := s.look().Scale; v.Kind == scale.Suspended && v.Reason == "the config is changing" && v.Rate == nil {
					held++
				}
			}
		}
		if held < 3 {
			t.Errorf("it was held for %d s", held)
		}
		time.Sleep(5 * time.Second)
		if v := s.look().Scale; v.Kind == scale.Suspended || v.Rate == nil {
			t.Errorf("it is held after that: %+v", v)
		}
		s.endAnyhow()
	})
}

// TestNothingIsScaledInAPause pauses what sleeps and what is at work, and moves bounds.
func TestNothingIsScaledInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := scaledText("stdin", "concurrency: 1, scale: "+usualScale)
		s := openScaling(t, text)
		s.feed(25, time.Minute)
		busy := s.look().Scale.Instances
		s.reload("phase: paused\n" + text)
		time.Sleep(5 * time.Minute)
		s.wants(busy)
		if v := s.look().Scale; v.Kind != scale.Suspended || v.Rate != nil || !strings.Contains(v.Reason, "paus") {
			t.Errorf("in a pause: %+v", v)
		}
		s.reload(text)
		time.Sleep(3 * time.Minute)
		s.wants(0)
		go s.feed(10, time.Second)
		time.Sleep(100 * time.Millisecond)
		s.reload("phase: paused\n" + text) // with a record that was just read, or is about to be
		time.Sleep(time.Minute)
		if p := s.Status().Pipelines[0]; !p.Drained {
			t.Errorf("a pause of what sleeps: %+v", p.PauseStatus)
		}
		s.reload(text)
		time.Sleep(5 * time.Second)
		s.end()
	})
}

// TestGenerationsUnderLoadAreNeverScaledToZero is B6: the counters begin anew again and
// again while records come steadily, few of them, and a vertex that may go to zero stays.
func TestGenerationsUnderLoadAreNeverScaledToZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := func(order string) string {
			source := "{generator: {rate: 25, template: '{{seq}}'}}"
			return strings.Replace(scaledText(source, "concurrency: 1, scale: "+strings.Replace(usualScale, "30s", "10s", 1)), "concurrency: 1, order: input", "concurrency: 1, order: "+order, 1)
		}
		s := openScaling(t, text("input"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		busy := s.look().Scale.Instances
		if busy < 3 {
			t.Errorf("%d instances under load", busy)
		}
		began := s.Pipelines()[0].Pipeline
		for i := range 8 {
			s.reload(text([]string{"none", "input"}[i%2]))
			if now := s.Pipelines()[0].Pipeline; now == began {
				t.Fatal("it is the same generation")
			}
			if n := s.look().Scale.Instances; n != busy {
				t.Errorf("%d instances after generation %d, %d before", n, i, busy)
			}
			time.Sleep(time.Duration(1+2*i) * time.Second)
			synctest.Wait()
			busy = s.look().Scale.Instances
		}
		for _, c := range s.told() {
			if c.To == 0 {
				t.Errorf("it was scaled to zero: %+v", c)
			}
		}
		s.endAnyhow()
	})
}

// TestAGenerationIsMeasuredAnew has one follow another between two decisions.
func TestAGenerationIsMeasuredAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := scaledText("{generator: {rate: 5, template: 'a{{seq}}'}}", "concurrency: 1, scale: "+usualScale)
		s := openScaling(t, text)
		time.Sleep(10*time.Second + 250*time.Millisecond)
		if v := s.look().Scale; v.Rate == nil || v.Pending == nil {
			t.Errorf("at work: %+v", v)
		}
		s.reload(strings.Replace(text, "order: input", "order: none", 1))
		if v := s.look().Scale; v.Rate != nil || v.Pending != nil {
			t.Errorf("what was measured of another generation is known: %+v", v)
		}
		time.Sleep(time.Second)
		if v := s.look().Scale; v.Rate != nil || v.Pending == nil {
			t.Errorf("after one sample: %+v", v)
		}
		time.Sleep(time.Second)
		if v := s.look().Scale; v.Rate == nil {
			t.Errorf("after two samples: %+v", v)
		}
		s.endAnyhow()
	})
}

// TestAProcessBeginsWithTheConcurrency opens a pipeline again that slept.
func TestAProcessBeginsWithTheConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := scaledText("stdin", "concurrency: 3, scale: "+usualScale)
		s := openScaling(t, text)
		time.Sleep(3 * time.Minute)
		s.wants(0)
		s.end()
		again := openScaling(t, text)
		again.wants(3)
		again.end()
	})
}

// TestAnEditBeforeTheRunIsNotLost reloads between Open and Run.
func TestAnEditBeforeTheRunIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScaling(t, scaledText("stdin", "concurrency: 3, scale: {max: 4}"))
		p := s.Pipelines()[0]
		s.reload(scaledText("stdin", "concurrency: 6, scale: {min: 5, max: 8}"))
		p.Scaling.Begin(p.builder, p.Config, p.graph, p.Pipeline) // by a run that has looked before
		s.wants(5)
		s.run()
		s.wants(5)
		if c := s.Pipelines()[0].Config.Vertices[2]; c.Scale.Min != 5 {
			t.Errorf("the config is %+v", c.Scale)
		}
		time.Sleep(3 * time.Minute) // the scaler has the bounds, too
		s.wants(5)
		s.end()
	})
}

// TestInstancesOfASleepingPluginAreClosed looks at the pool of one, and at the metrics.
func TestInstancesOfASleepingPluginAreClosed(t *testing.T) {
	plugin := guest(t, "identity")
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "f.wasm"), plugin, 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(scaledText("stdin", "concurrency: 2, scale: "+usualScale), "plugin: slowly", "plugin: f", 1)
		s := openScaling(t, text, "plugins.dir="+dir)
		s.feed(20, 5*time.Second)
		if g := s.look().Guests; g == nil || g.Instances < 1 {
			t.Errorf("at work: %+v", g)
		}
		if err := os.WriteFile(filepath.Join(dir, "f.wasm"), versioned(plugin, 2), 0o600); err != nil {
			t.Fatal(err)
		}
		if v := s.look().Scale; v.Rate == nil {
			t.Errorf("at work: %+v", v)
		}
		s.reload(text) // between two decisions
		if v := s.look().Scale; v.Rate != nil {
			t.Errorf("what was measured of another version is known: %+v", v)
		}
		time.Sleep(time.Second)
		if v := s.look().Scale; v.Rate != nil {
			t.Errorf("a rate of one sample: %+v", v)
		}
		time.Sleep(3 * time.Minute)
		s.wants(0)
		if g := s.look().Guests; g.Instances != 0 {
			t.Errorf("asleep: %+v", g)
		}
		if err := os.WriteFile(filepath.Join(dir, "f.wasm"), versioned(plugin, 1), 0o600); err != nil {
			t.Fatal(err)
		}
		s.reload(text) // another version, which is to sleep as well
		if g := s.look().Guests; g.Instances != 0 {
			t.Errorf("asleep, another version: %+v", g)
		}
		s.wants(0)
		s.feed(1, time.Second)
		s.wants(1)
		if g := s.look().Guests; g.Instances != 1 {
			t.Errorf("awake: %+v", g)
		}
		s.end()
	})
}
