package examine

import (
	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/stream"
)

// instances looks at those in the background.
func instances(home string) *doctor.Instances {
	h := &instance.Home{Dir: home}
	all := &doctor.Instances{Home: home}
	names, err := h.Names()
	all.Faults = faultsOf(err)
	for _, name := range names {
		i, err := h.Open(name)
		one := doctor.Instance{Name: name}
		if err == nil {
			var seen instance.Seen
			seen, err = i.See()
			one.State, one.Reason, one.Failed = string(seen.State), seen.Reason, seen.State == instance.Failed
		}
		if stream.CodeOf(err) == stream.InstanceUnknown { // it went meanwhile
			continue
		}
		one.Faults = faultsOf(err)
		all.All = append(all.All, one)
	}
	return all
}
