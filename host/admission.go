package host

import (
	"errors"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/config/watch"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
	"github.com/wasmill/wasmill/host/wasm/trust"
)

// Admission returns which plugins the settings of a process let in. It reads the files of
// keys.
func Admission(s *config.Process) (a wasm.Admission, err error) {
	a.Lock = s.Plugins.Lock
	var errs []error
	for _, k := range s.Plugins.Trust {
		key, err := trust.PublicKey{}, error(nil)
		if k.File != "" {
			key, err = trust.ReadPublic(k.File)
		} else {
			key, err = trust.ParsePublic(k.Key())
		}
		if err != nil {
			errs = append(errs, &stream.Error{
				Code: stream.ConfigValue, Where: k.Where(), Why: "the public key cannot be had from " + k.File, Err: err,
				Fix: "name the .pub file that wasmill plugin keygen has made, or write the key here",
			})
		}
		a.Keys = append(a.Keys, key)
	}
	return a, errors.Join(errs...)
}

// admissions are the files that say which plugins are let in, to be followed.
func (h *Host) admissions() (all []watch.Target) {
	if h.Settings.Plugins.Lock != "" {
		all = append(all, watch.Target{Path: h.Settings.Plugins.Lock})
	}
	if len(h.Settings.Plugins.Trust) > 0 {
		all = append(all, watch.Target{Path: h.Settings.Plugins.Dir, Pattern: "*" + wasm.Ext + trust.SignatureExt})
	}
	return all
}
