package config

import (
	"cmp"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
	"github.com/wasmill/wasmill/host/stream"
)

// Layers is what a value is made from, on top of its defaults.
type Layers struct {
	Files []File   // later ones win
	Env   []string // KEY=value, as os.Environ returns it
	Set   []string // path=value, in the order given
	Root  string   // folder that relative paths in settings of the process begin in which Files and defaults have; empty = the working directory

	begin string // how a file begins, for who does not know; empty = as its kind does
}

// separator joins keys for koanf. No key contains it, as it is a control character.
const separator = "\x1f"

// merged is the tree of several layers and where its values come from.
type merged struct {
	faults
	places
	layers *koanf.Koanf
	layer  int            // rank of the layer being read
	broken bool           // something could not be read at all
	begin  string         // how a file begins, for who does not know
	tree   map[string]any // once all layers are in
}

// merge reads and merges layers. The variables that count are those of fields,
// named after their paths; without fields the environment is not looked at.
func merge(l Layers, fields []field) *merged {
	m := &merged{places: newPlaces(), layers: koanf.New(separator), begin: "start with a line such as name: my-pipeline"}
	if len(l.Files) == 0 {
		m.values[""] = place{name: "config"}
	}
	if len(fields) > 0 {
		m.begin = "start with a line such as log: {level: info}"
	}
	m.begin = cmp.Or(l.begin, m.begin)
	for _, f := range l.Files {
		m.file(f)
	}
	if len(fields) > 0 {
		m.environment(l.Env, fields)
	}
	m.tree = m.layers.Raw()
	if m.broken {
		return m // an edit would miss what could not be read
	}
	for _, arg := range l.Set {
		m.set(arg)
	}
	m.keep(m.tree)
	return m
}

func (m *merged) file(f File) {
	m.layer++
	from := place{layer: m.layer, name: f.Name, line: 1, col: 1}
	m.values[""] = from
	if len(f.Data) > maxFile {
		m.broken = true
		m.add(from, "", stream.ConfigFile, tooLarge, tooLargeFix)
		return
	}
	doc, bad := parse(f.Data)
	if bad != nil {
		m.broken = true
		bad.fault(&m.faults, from)
		return
	}
	if doc == nil {
		return
	}
	r := &reader{faults: &m.faults, places: m.places, from: from}
	tree := r.value("", doc, 0)
	m.broken = m.broken || r.nodes > maxNodes
	switch tree := tree.(type) {
	case nil:
	case map[string]any:
		if m.values[""] = from; !m.broken {
			m.load(tree, "")
		}
	default:
		m.broken = true
		m.add(r.at(doc), "", stream.ConfigType, "the file wants key: value pairs at the top, not "+describe(tree), m.begin)
	}
}

// load merges a tree over what is there. With a separator its keys are paths.
func (m *merged) load(tree map[string]any, sep string) {
	if err := m.layers.Load(confmap.Provider(tree, sep), nil); err != nil {
		panic("BUG: config: merge layers: " + err.Error())
	}
}
