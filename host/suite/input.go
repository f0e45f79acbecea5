package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// move is one step of the stepper.
type move struct {
	step
	to     []stream.VertexID // entries; a record has one
	tag    string            // for a vertex before the part
	dead   bool              // it comes as a dead letter
	number int               // of a record, from 1
}

// moves makes those of the input of test i. Its error joins all that does not fit.
func moves(c *config.Pipeline, s *scope, tests *config.Tests, i int) (all []move, err error) {
	var faults []error
	at, number := int64(0), 0
	for k := range tests.Tests[i].Input {
		in, place := &tests.Tests[i].Input[k], fmt.Sprintf("tests[%d].input[%d]", i, k)
		m := move{to: s.entries}
		if in.Source != "" {
			m.to = []stream.VertexID{in.Source}
		}
		switch {
		case in.Source != "" && !slices.Contains(s.entries, in.Source):
			faults = append(faults, unknown(tests, place+".source", "source of the test", in.Source, s.entries))
			continue
		case in.Watermark != nil:
			m.watermark = stream.Watermark(in.Watermark.UnixNano())
			all = append(all, m)
			continue
		case len(m.to) != 1:
			faults = append(faults, &stream.Error{Code: stream.ConfigMissing, Where: tests.Where(place), Why: fmt.Sprintf("records may come from %d vertices, and it is not said from which", len(m.to)), Fix: fmt.Sprintf("add source: and one of %v", m.to)})
			continue
		}
		if err := tagged(&m, c, s, tests, in, place); err != nil {
			faults = append(faults, err)
			continue
		}
		if in.Time != nil {
			at = in.Time.UnixNano()
		}
		values := [][]byte{in.Bytes()}
		if in.File != "" {
			if values, err = lines(tests, place, in.File); err != nil {
				faults = append(faults, err)
				continue
			}
		}
		for _, v := range values {
			number++
			one := m
			one.number, one.record = number, &Record{Time: at, Value: v}
			if in.Key != nil {
				one.record.Key = []byte(*in.Key)
			}
			for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
				one.record.Headers = append(one.record.Headers, Header{name, in.Headers[name]})
			}
			all = append(all, one)
		}
	}
	return all, joined(faults)
}

// tagged says by which edges a record comes in.
func tagged(m *move, c *config.Pipeline, s *scope, tests *config.Tests, in *config.Input, place string) error {
	before := m.to[0]
	if s.inside[before] {
		if in.Tag == "" {
			return nil
		}
		return &stream.Error{Code: stream.ConfigValue, Where: tests.Where(place + ".tag"), Why: fmt.Sprintf("%s is a source, and sources give no tags", before), Fix: "remove it"}
	}
	tags, dead := s.tags(c, before)
	switch m.tag = in.Tag; {
	case slices.Contains(tags, in.Tag):
	case in.Tag == "" && len(tags) == 1:
		m.tag = tags[0]
	case in.Tag == "" && len(tags) == 0 && dead:
		m.dead = true
	case in.Tag == "":
		return &stream.Error{Code: stream.ConfigMissing, Where: tests.Where(place), Why: fmt.Sprintf("records of %s come by their tags, and it is not said which one this has", before), Fix: fmt.Sprintf("add tag: and one of %v", tags)}
	default:
		fix := config.Suggest(in.Tag, tags)
		if slices.Equal(tags, []string{""}) || tags == nil {
			fix = "remove it: records go there without one"
		}
		return &stream.Error{Code: stream.ConfigValue, Where: tests.Where(place + ".tag"), Why: fmt.Sprintf("no edge takes records of %s with the tag %q", before, in.Tag), Fix: fix}
	}
	return nil
}

// maxFile bounds a file that a test names, in bytes.
const maxFile = 64 << 20

// lines reads a file with a value per line.
func lines(tests *config.Tests, place, name string) ([][]byte, error) {
	fault := &stream.Error{Where: tests.Where(place + ".file"), Why: name + " cannot be read", Code: stream.InputUnreadable, Fix: "name a readable file with a record per line, from the folder of the tests"}
	f, err := os.Open(tests.Path(name))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			fault.Code, fault.Why = stream.InputMissing, "there is no file "+tests.Path(name)
		} else {
			fault.Err = err
		}
		return nil, fault
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		fault.Err = err
		return nil, fault
	case len(data) > maxFile:
		fault.Code, fault.Why, fault.Fix = stream.ConfigFile, name+" has more than 64 MiB, which is too much for a test", "take a part of it"
		return nil, fault
	case len(data) == 0:
		return nil, nil
	}
	return bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")), nil
}
