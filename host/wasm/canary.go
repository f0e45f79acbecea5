package wasm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Bounds of a trial.
const (
	trialTime   = 2 * time.Second // after which no further call begins
	trialErrors = 3               // records in error more than with the version that serves, below which nothing is refused
	trialShare  = 10              // percent of the records, up to which neither
)

// Trial is what came of trying another version of a plugin on recent records.
type Trial struct {
	Records int    // that both versions were given
	Differ  int    // of them, those that they answered differently
	Note    string // why nothing was tried, or what does not count; empty = there is nothing to say
}

func (t Trial) String() string {
	switch {
	case t.Records == 0 && t.Note == "":
		return ""
	case t.Records == 0:
		return "canary: not tried: " + t.Note
	}
	s := fmt.Sprintf("canary: %d records, %d answered differently", t.Records, t.Differ)
	if t.Note != "" {
		s += ": " + t.Note
	}
	return s
}

// Try lets another version handle records that came lately, and the one that serves beside
// it, each in an instance of its own, without effects: requests are denied, sleeping
// returns at once, what is logged goes nowhere, state begins with nothing and is thrown
// away. Calls of the vertex go on meanwhile. No call of the trial begins after some
// seconds; each has the deadline of the vertex.
//
// The error has code PluginCanary if the other version fails where the one that serves
// does not, or has many more records in error. Other answers are counted, no more.
func (v *Versions) Try(ctx context.Context, next *Transform) (Trial, error) {
	if v.recent == nil {
		return Trial{}, nil
	}
	one := v.hold()
	if one == nil {
		return Trial{}, nil
	}
	defer v.end(one)
	if why := cmp.Or(untriable(one.plugin), untriable(next.plugin)); why != "" {
		return Trial{Note: why}, nil
	}
	records, most := v.recent.sample()
	if records.Len() == 0 {
		return Trial{Note: "no record came yet"}, nil
	}
	sides := one.vertex.sides.load()
	c := &canary{
		records: records, most: most, until: time.Now().Add(trialTime),
		old: newSubject(one.Transform, sides), next: newSubject(next, sides),
	}
	defer c.old.close()
	defer c.next.close()
	if chancy(one.plugin) || chancy(next.plugin) {
		c.chancy = true
		c.Note = "it asks for the time or for chance, so that errors do not count"
	}
	if err := c.run(ctx); err != nil {
		return c.Trial, err
	}
	return c.Trial, c.verdict()
}

// hold takes the version that serves, nil if none does any more. end gives it back.
func (v *Versions) hold() *version {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return nil
	}
	one := v.serving.Load() // which ends only after another one, for which the lock is needed
	one.uses.Add(1)
	return one
}

// untriable says why a plugin cannot be tried, empty if it can be.
func untriable(p *Plugin) string {
	switch {
	case p.Description.Kind == abi.KindAggregate:
		return "what it answers depends on its windows"
	case p.limits.Unmetered:
		return "without metering it could not be stopped"
	case slices.Contains(p.Wants, abi.CapabilityHTTP):
		return "it asks over HTTP"
	}
	return ""
}

// chancy says whether a plugin may answer the same call differently.
func chancy(p *Plugin) bool {
	return slices.Contains(p.Wants, abi.CapabilityClock) || slices.Contains(p.Wants, abi.CapabilityRandom)
}

// canary is a trial under way.
type canary struct {
	Trial
	records   *stream.Batch
	most      int // of records, in one call
	until     time.Time
	old, next *subject
	chancy    bool // errors of records do not count

	failed  int    // records that the next version failed on and the old one did not
	first   error  // of them
	errs    [2]int // records in error, with the old version and the next
	firstly string // the reason of the first that is in error with the next version alone
}

// run tries all records, or as many as there is time for. The error is that of ctx.
func (c *canary) run(ctx context.Context) error {
	for from := 0; from < c.records.Len() && c.timely(); from += c.most {
		c.together(ctx, from, min(from+c.most, c.records.Len()))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if c.Records == 0 {
		c.Note = "the calls took too long"
	}
	return nil
}

func (c *canary) timely() bool { return time.Now().Before(c.until) }

// together tries some records in one call, and one by one if that fails.
func (c *canary) together(ctx context.Context, from, to int) {
	old, oldErr := c.old.call(ctx, c.part(from, to))
	next, nextErr := c.next.call(ctx, c.part(from, to))
	if oldErr == nil && nextErr == nil {
		c.compare(old, next)
		return
	}
	c.old.state.rollback()
	c.next.state.rollback()
	failed, tried := c.failed, c.Records
	for k := from; k < to && ctx.Err() == nil && c.timely(); k++ {
		c.alone(ctx, k)
	}
	if oldErr != nil || blameless(nextErr) || c.failed > failed || ctx.Err() != nil {
		return
	}
	if c.Records > tried && unlucky(nextErr) {
		c.next.close()
		if _, nextErr = c.next.call(ctx, c.part(from, to)); nextErr == nil || blameless(nextErr) || ctx.Err() != nil {
			return
		}
	}
	c.Records = tried + to - from
	c.fail(to-from, nextErr)
}

// alone tries one record.
func (c *canary) alone(ctx context.Context, k int) {
	old, oldErr := c.old.call(ctx, c.part(k, k+1))
	next, nextErr := c.next.call(ctx, c.part(k, k+1))
	if oldErr == nil && unlucky(nextErr) {
		next, nextErr = c.next.call(ctx, c.part(k, k+1))
	}
	switch {
	case ctx.Err() != nil || blameless(oldErr) || blameless(nextErr):
	case oldErr == nil && nextErr == nil:
		c.compare(old, next)
	case oldErr == nil:
		c.Records++
		c.fail(1, nextErr)
	case nextErr == nil:
		c.Records++
		c.Differ++
	default: // neither can handle it
		c.Records++
	}
}

// part copies some of the records for a call. Seq says which is which.
func (c *canary) part(from, to int) *stream.Batch {
	b := &stream.Batch{Watermark: c.records.Watermark}
	for k := from; k < to; k++ {
		b.AppendFrom(c.records, k)
		b.Records[k-from].Seq = stream.Seq(k - from)
	}
	return b
}

// compare takes what both versions answered.
func (c *canary) compare(old, next []answer) {
	c.Records += len(old)
	for k := range old {
		if old[k].failed {
			c.errs[0]++
		}
		if next[k].failed {
			c.errs[1]++
			if !old[k].failed && c.firstly == "" {
				c.firstly = cmp.Or(next[k].reason, "no reason given")
			}
		}
		if old[k].failed != next[k].failed || old[k].digest != next[k].digest {
			c.Differ++
		}
	}
}

func (c *canary) fail(records int, err error) {
	c.failed += records
	if c.first == nil {
		c.first = err
	}
}

// verdict refuses a version that does worse than the one that serves.
func (c *canary) verdict() error {
	p := c.next.plugin
	what := "the new version of the plugin"
	if p.Hash == c.old.plugin.Hash {
		what = "the plugin with its new settings"
	}
	e := &stream.Error{
		Code: stream.PluginCanary, Where: fmt.Sprintf("%s, plugin %s", c.next.vertex.Vertex, p.Description.Name),
		Fix: "correct the plugin or its settings; if it is meant to be so, stop wasmill and run it again, which tries nothing, or set plugins.canary: off",
	}
	more := c.errs[1] - c.errs[0]
	switch {
	case c.failed > 0:
		e.Why = fmt.Sprintf("%s fails on %d of %d recent records, on which the one that serves does not; the first time", what, c.failed, c.Records)
		e.Err = c.first
	case !c.chancy && more >= trialErrors && more*100 > trialShare*c.Records:
		e.Why = fmt.Sprintf("%s reports %d of %d recent records as errors, the one that serves %d; the first new one: %s", what, c.errs[1], c.Records, c.errs[0], strings.TrimSpace(c.firstly))
	default:
		return nil
	}
	return e
}

// unlucky says whether a call may have failed because the machine was slow, so that it is
// given a second chance.
func unlucky(err error) bool { return stream.CodeOf(err) == stream.GuestDeadline }

// blameless says whether an error says nothing of the version that was tried.
func blameless(err error) bool { return errors.Is(err, errScratch) || errors.Is(err, errPartly) }
