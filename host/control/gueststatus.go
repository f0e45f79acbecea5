package control

import (
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/wasm"
)

// GuestStatus is the pool of a vertex with a plugin: what its instances have done, all
// versions together, and those that there are.
type GuestStatus struct {
	Plugin    string `json:"plugin"`
	Version   string `json:"version,omitempty"` // as the plugin describes itself
	SHA256    string `json:"sha256"`            // of the file that serves
	Instances int    `json:"instances"`         // that live, also of versions with calls under way
	Calls     uint64 `json:"calls"`
	Discards  uint64 `json:"discards"`  // instances that a call's error cost
	Suspended bool   `json:"suspended"` // calls wait, as the plugin does little but fail
}

// AddGuests adds the pools of a pipeline, whose graph was built from the config and is
// still that one.
func (s *Status) AddGuests(c *config.Pipeline, g pipeline.Graph) {
	for i := range s.Vertices {
		t := g.Vertices[i].Transform
		counted, ok := t.(interface{ Stats() wasm.Stats })
		if !ok {
			continue
		}
		stats := counted.Stats()
		guests := &GuestStatus{Plugin: c.Vertices[i].UDF.Plugin, Instances: stats.Instances, Calls: stats.Calls, Suspended: stats.Suspended}
		if p := pluginOf(t); p != nil {
			guests.Version, guests.SHA256 = p.Description.Version, p.Hash
		}
		for _, n := range stats.Discards {
			guests.Discards += n
		}
		s.Vertices[i].Guests = guests
	}
}
