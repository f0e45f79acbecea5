package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/stream"
)

// commitVersion is that of the commits that are written.
const commitVersion = 1

// commit says how to show what was prepared: all that may not have been shown
// before, so that an epoch that was given up is shown by the next one.
type commit struct {
	Version int    `json:"version"`
	Path    string `json:"path"`            // as in the settings, without links
	Epoch   uint64 `json:"epoch"`           // that was prepared
	Shift   uint64 `json:"shift,omitempty"` // epochs that names of parts count before the first
	End     int64  `json:"end,omitempty"`   // size of a single file when all is shown
	Parts   []part `json:"parts"`           // in order; of a single file the last one it got is always there
}

// part is a file in the hidden folder. It is shown under a name, or as the bytes
// of the single file from Base on.
type part struct {
	File    string `json:"file"`
	Name    string `json:"name,omitempty"`
	Base    int64  `json:"base,omitempty"`
	Len     int64  `json:"len"`
	Sum     uint32 `json:"sum"`               // CRC-32C of Len bytes
	Replace bool   `json:"replace,omitempty"` // it takes the place of the single file
	Open    bool   `json:"open,omitempty"`    // it goes on after Len and is not to be shown
	Began   int64  `json:"began,omitempty"`   // of one that is open: ns since 1970
}

func (c *commit) append() []byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic("BUG: file: a commit has no JSON: " + err.Error())
	}
	return text
}

// hiddenName is what names in the hidden folder are like.
var hiddenName = regexp.MustCompile(`^[A-Z2-7]{26}-[0-9]{1,19}$`)

// parseCommit reads what append wrote.
func parseCommit(text []byte) (*commit, error) {
	var version struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(text, &version) == nil && version.Version > commitVersion {
		return nil, &stream.Error{
			Code: stream.CheckpointFormat,
			Why:  "the commit of the file sink has version " + strconv.Itoa(version.Version) + ", this wasmill knows up to " + strconv.Itoa(commitVersion),
			Fix:  "use the newer wasmill that wrote it",
		}
	}
	c := new(commit)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(c)
	if err == nil && d.InputOffset() != int64(len(text)) {
		err = errors.New("bytes after the end")
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return nil, &stream.Error{
			Code: stream.PositionInvalid,
			Why:  "the stored commit is not that of a file sink",
			Fix:  "if the sink was another one before, make a fresh start",
			Err:  err,
		}
	}
	return c, nil
}

func (c *commit) check() error {
	base := filepath.Base(c.Path)
	rolling := strings.Contains(base, partMark)
	switch {
	case c.Version != commitVersion:
		return errors.New("no version")
	case c.Path == "" || !utf8.ValidString(c.Path) || strings.IndexByte(c.Path, 0) >= 0:
		return errors.New("no path")
	case c.End < 0 || c.Shift > math.MaxInt64 || c.Epoch > math.MaxInt64:
		return errors.New("a number out of range")
	}
	end := int64(-1)
	for i, p := range c.Parts {
		_, named := partEpoch(base, p.Name)
		switch {
		case !hiddenName.MatchString(p.File):
			return errors.New("a part without a file")
		case p.Len < 0 || p.Base < 0 || p.Len > math.MaxInt64-p.Base:
			return errors.New("a part out of range")
		case rolling && (!named || p.Base != 0 || p.Replace), !rolling && (p.Name != "" || p.Open):
			return errors.New("a part of another kind of sink")
		case p.Open && i != len(c.Parts)-1:
			return errors.New("a part that is open and not the last")
		case !rolling && (end >= 0 && p.Base != end || p.Replace && p.Base != 0):
			return errors.New("parts with gaps")
		}
		end = p.Base + p.Len
	}
	if !rolling && end >= 0 && end != c.End {
		return errors.New("parts that end elsewhere")
	}
	return nil
}
