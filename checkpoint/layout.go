package checkpoint

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Generation numbers the writers of a pipeline from 1: each start of the process,
// and each new graph of it, claims one.
type Generation uint64

// Revision numbers the accepted configs of a pipeline.
type Revision uint64

// Folders below that of the pipeline. Numbers in names have 20 digits, so that
// the order of names is that of the numbers.
const (
	generations  = "generations"
	starts       = "starts"
	adopted      = "adopted"
	epochs       = "epochs"
	committed    = "committed"
	manifestName = "manifest.json"
	probes       = "probe/"
)

// layout makes the names of a pipeline's objects.
type layout string

func (l layout) folder() string            { return string(l) + "/" }
func (l layout) claims() string            { return string(l) + "/" + generations + "/" }
func (l layout) claim(g Generation) string { return l.claims() + digits(uint64(g)) }
func (l layout) start(g Generation, e stream.Epoch) string {
	return l.starting(g) + digits(uint64(e))
}
func (l layout) adoption(g Generation) string { return l.starting(g) + adopted }
func (l layout) starting(g Generation) string {
	return string(l) + "/" + starts + "/" + digits(uint64(g)) + "-"
}
func (l layout) records() string              { return string(l) + "/" + epochs + "/" }
func (l layout) record(e stream.Epoch) string { return l.records() + digits(uint64(e)) }
func (l layout) mark(e stream.Epoch) string {
	return string(l) + "/" + committed + "/" + digits(uint64(e))
}
func (l layout) object(relative string) string { return string(l) + "/" + relative }
func manifestOf(g Generation, e stream.Epoch) string {
	return folderOf(g, e) + manifestName
}
func dataOf(g Generation, e stream.Epoch, n int) string {
	return folderOf(g, e) + "data-" + digits(uint64(n))
}

// folderOf is where the objects of a checkpoint are, below the pipeline's folder.
func folderOf(g Generation, e stream.Epoch) string {
	return "gen-" + digits(uint64(g)) + "/" + digits(uint64(e)) + "/"
}

func digits(n uint64) string { return fmt.Sprintf("%020d", n) }

// kind says what an object is, by its name.
type kind int

const (
	foreign kind = iota // none of ours: never touched
	claimKind
	startKind
	adoptionKind
	recordKind
	markKind
	manifestKind
	dataKind
)

// place is what the name of an object says.
type place struct {
	kind       kind
	generation Generation
	epoch      stream.Epoch
}

// parse reads the name of an object below the pipeline's folder.
func (l layout) parse(name string) place {
	rest, ok := strings.CutPrefix(name, l.folder())
	if !ok {
		return place{}
	}
	return parseRelative(rest)
}

func parseRelative(name string) place {
	head, tail, _ := strings.Cut(name, "/")
	switch head {
	case generations:
		if n, ok := number(tail); ok {
			return place{kind: claimKind, generation: Generation(n)}
		}
	case starts:
		first, second, _ := strings.Cut(tail, "-")
		g, okG := number(first)
		if okG && second == adopted {
			return place{kind: adoptionKind, generation: Generation(g)}
		}
		if e, okE := number(second); okG && okE {
			return place{kind: startKind, generation: Generation(g), epoch: stream.Epoch(e)}
		}
	case epochs:
		if n, ok := number(tail); ok {
			return place{kind: recordKind, epoch: stream.Epoch(n)}
		}
	case committed:
		if n, ok := number(tail); ok {
			return place{kind: markKind, epoch: stream.Epoch(n)}
		}
	default:
		return parseFolder(head, tail)
	}
	return place{}
}

func parseFolder(head, tail string) place {
	text, isGen := strings.CutPrefix(head, "gen-")
	folder, file, _ := strings.Cut(tail, "/")
	g, okG := number(text)
	e, okE := number(folder)
	if !isGen || !okG || !okE {
		return place{}
	}
	p := place{generation: Generation(g), epoch: stream.Epoch(e)}
	data, isData := strings.CutPrefix(file, "data-")
	switch _, okN := number(data); {
	case file == manifestName:
		p.kind = manifestKind
	case isData && okN:
		p.kind = dataKind
	default:
		return place{}
	}
	return p
}

// number reads exactly what digits writes.
func number(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && digits(n) == s
}

// isProbe says whether Probe made an object: a pipeline may have the name probe, too.
func isProbe(name string) bool {
	rest, ok := strings.CutPrefix(name, probes)
	return ok && rest != "" && !strings.Contains(rest, "/")
}
