package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Checkpoints looks at the checkpoints of a pipeline, whether it runs or not. One
// goroutine uses it.
type Checkpoints struct {
	Pipeline string
	Storage  string // for people
	Missing  bool   // the folder is not there

	at       StoreAt
	store    checkpoint.Store
	locators map[stream.VertexID]stream.Locator
}

// OpenCheckpoints opens those of a pipeline. c is its config, by which positions of
// sources are told; it may be nil.
func OpenCheckpoints(s *Stores, at StoreAt, pipeline string, c *config.Pipeline) (*Checkpoints, error) {
	if checkpoint.CheckName(pipeline) != nil || strings.Contains(pipeline, "/") {
		return nil, &stream.Error{Code: stream.Usage, Where: at.Where, Why: fmt.Sprintf("%q is not the name of a pipeline", pipeline), Fix: "write the name that stands in the pipeline file"}
	}
	store, err := s.Inspect(at)
	if err != nil {
		return nil, err
	}
	out := &Checkpoints{Pipeline: pipeline, Storage: at.Storage.String(), at: at, store: store, locators: make(map[stream.VertexID]stream.Locator)}
	_, out.Missing = store.(emptyStore)
	if c == nil {
		return out, nil
	}
	lent := Lent{Dir: at.Dir}
	for _, v := range c.Vertices {
		if v.Source == nil {
			continue
		}
		if l, ok := sources()[v.Source.Kind].open(v.Source.Settings, &lent).(stream.Locator); ok {
			out.locators[v.Name] = l
		}
	}
	return out, nil
}

// Close closes the store.
func (c *Checkpoints) Close() error { return c.store.Close() }

func (c *Checkpoints) reader() *checkpoint.Reader {
	return &checkpoint.Reader{Store: c.store, Pipeline: c.Pipeline}
}

// List returns all checkpoints, the newest first.
func (c *Checkpoints) List(ctx context.Context) ([]CheckpointEntry, error) {
	entries, err := c.reader().List(ctx)
	if err != nil {
		return nil, c.at.place(err)
	}
	all := make([]CheckpointEntry, 0, len(entries))
	for i := range entries {
		all = append(all, viewEntry(&entries[i]))
	}
	return all, nil
}

// Newest returns the newest that was published, and not abandoned if there is one.
func (c *Checkpoints) Newest(ctx context.Context) (stream.Epoch, error) {
	all, err := c.published(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		if e.State != checkpoint.Abandoned {
			return e.Epoch, nil
		}
	}
	return all[0].Epoch, nil
}

// Readable says whether the newest that is not abandoned, if there is one, is of a format that
// is known here.
func (c *Checkpoints) Readable(ctx context.Context) error {
	all, err := c.reader().List(ctx)
	if err != nil {
		return c.at.place(err)
	}
	for _, e := range all {
		switch {
		case e.State == checkpoint.Orphaned || e.State == checkpoint.Abandoned:
			continue
		case e.Err != nil && stream.CodeOf(e.Err) == stream.CheckpointFormat:
			return e.Err
		}
		return nil
	}
	return nil
}

// published returns the checkpoints that were, the newest first; there is one.
func (c *Checkpoints) published(ctx context.Context) ([]checkpoint.Entry, error) {
	all, err := c.reader().List(ctx)
	if err != nil {
		return nil, c.at.place(err)
	}
	all = slices.DeleteFunc(all, func(e checkpoint.Entry) bool { return e.State == checkpoint.Orphaned })
	if len(all) == 0 {
		return nil, c.none(ctx)
	}
	return all, nil
}

// none says that there is no checkpoint yet, and which pipelines have some.
func (c *Checkpoints) none(ctx context.Context) error {
	e := &stream.Error{Code: stream.Usage, Where: c.at.Where, Why: fmt.Sprintf("pipeline %s has no checkpoint yet in %s", c.Pipeline, c.Storage), Fix: "run it until one is complete"}
	others, err := c.pipelines(ctx)
	switch {
	case err != nil:
		return c.at.place(err)
	case c.Missing:
		e.Why += ": there is no such folder"
		e.Fix += ", or correct the storage"
	case len(others) > 0:
		e.Fix = "there may be some under another name: " + config.Suggest(c.Pipeline, others)
	}
	return e
}

// Folders of a pipeline, as package checkpoint lays them out.
const (
	records = "epochs/"
	marks   = "committed/"
)

// maxLooked bounds the objects that are listed to find the names of pipelines.
const maxLooked = 10_000

// pipelines returns the names of some others that have checkpoints here.
func (c *Checkpoints) pipelines(ctx context.Context) ([]string, error) {
	var names []string
	looked := 0
	for o, err := range c.store.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		name, rest, _ := strings.Cut(o.Name, "/")
		if strings.HasPrefix(rest, records) && name != c.Pipeline && !slices.Contains(names, name) {
			names = append(names, name)
		}
		if looked++; looked == maxLooked {
			break
		}
	}
	return names, nil
}

// find returns what the list says of published epochs, in their order.
func (c *Checkpoints) find(ctx context.Context, epochs ...stream.Epoch) (found, all []checkpoint.Entry, err error) {
	if all, err = c.published(ctx); err != nil {
		return nil, nil, err
	}
	for _, e := range epochs {
		i := slices.IndexFunc(all, func(x checkpoint.Entry) bool { return x.Epoch == e })
		if i < 0 {
			return nil, nil, c.unknown(e, all)
		}
		found = append(found, all[i])
	}
	return found, all, nil
}

func (c *Checkpoints) unknown(e stream.Epoch, all []checkpoint.Entry) error {
	var names []string
	near := all[0].Epoch
	for _, x := range all {
		names = append(names, strconv.FormatUint(uint64(x.Epoch), 10))
		if max(x.Epoch, e)-min(x.Epoch, e) < max(near, e)-min(near, e) {
			near = x.Epoch
		}
	}
	fix := config.Suggest(strconv.FormatUint(uint64(e), 10), names)
	if len(names) > 1 && !strings.HasPrefix(fix, "did you mean") {
		fix = fmt.Sprintf("the nearest is %d; %s", near, fix)
	}
	return &stream.Error{Code: stream.Usage, Where: c.at.Where, Why: fmt.Sprintf("pipeline %s has no checkpoint with epoch %d", c.Pipeline, e), Fix: fix}
}

// Show returns all that there is to know of a checkpoint without reading its data.
func (c *Checkpoints) Show(ctx context.Context, e stream.Epoch) (*CheckpointDetail, error) {
	found, _, err := c.find(ctx, e)
	if err != nil {
		return nil, err
	}
	if found[0].Manifest == nil {
		return nil, c.at.place(c.damaged(found[0].Epoch, found[0].Err))
	}
	return c.detail(&found[0]), nil
}

// damaged adds to an error of a checkpoint what to do.
func (c *Checkpoints) damaged(epoch stream.Epoch, err error) error {
	e, ok := errors.AsType[*stream.Error](err)
	if !ok || e.Fix != "" {
		return err
	}
	advised := *e
	advised.Fix = fmt.Sprintf("bring the object back from a backup; a restore takes an older checkpoint than epoch %d meanwhile", epoch)
	return &advised
}

// Verify reads all that a checkpoint needs. progress is told the bytes that were read,
// of how many; it may be nil. An error says that it could not be checked.
func (c *Checkpoints) Verify(ctx context.Context, e stream.Epoch, progress func(done, total int64)) (*Verification, error) {
	if _, _, err := c.find(ctx, e); err != nil {
		return nil, err
	}
	r := c.reader()
	r.Progress = progress
	report, err := r.Verify(ctx, e)
	if err != nil {
		return nil, c.at.place(err)
	}
	v := &Verification{Epoch: e, Objects: report.Objects, Bytes: report.Bytes, Problems: []Problem{}}
	for _, p := range report.Problems {
		bad, ok := errors.AsType[*stream.Error](p)
		if !ok {
			bad = &stream.Error{Why: p.Error()}
		}
		v.Problems = append(v.Problems, Problem{Object: bad.Where, Why: bad.Reason()})
	}
	return v, nil
}

// Diff returns what lies between two checkpoints, by vertex.
func (c *Checkpoints) Diff(ctx context.Context, a, b stream.Epoch) ([]CheckpointDifference, error) {
	found, _, err := c.find(ctx, a, b)
	if err != nil {
		return nil, err
	}
	for _, x := range found {
		if x.Manifest == nil {
			return nil, c.at.place(c.damaged(x.Epoch, x.Err))
		}
	}
	all := []CheckpointDifference{}
	for _, d := range checkpoint.Diff(found[0].Manifest, found[1].Manifest) {
		all = append(all, difference(&d))
	}
	return all, nil
}
