package wasm

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// Check puts the plugin through the conformance suite, with all capabilities
// granted, but every request denied and no time to sleep.
func (p *Plugin) Check(ctx context.Context, params []byte) []abitest.Finding {
	v := &vertex{Config: Config{Grant: abi.Capabilities(), Tags: stream.NewTagTable()}, awake: true}
	random := slices.Contains(p.Wants, abi.CapabilityClock) || slices.Contains(p.Wants, abi.CapabilityRandom)
	return abitest.CheckGuest(abitest.Subject{
		Params: params,
		Random: random,
		Open: func() (abitest.Guest, error) {
			i, err := p.instantiate(ctx, v)
			if err != nil {
				return nil, err
			}
			return guest{i}, nil
		},
	})
}

// guest drives an instance by hand. It implements abitest.Guest.
type guest struct{ i *instance }

func (g guest) call(name string, params ...uint64) (uint64, error) {
	g.i.stack = [2]uint64{}
	copy(g.i.stack[:], params)
	if err := g.i.enter(g.i.ctx); err != nil {
		return 0, err
	}
	defer g.i.leave()
	g.i.hostCalls, g.i.answer = 0, nil
	g.i.clock.begin(g.i.ctx, time.Now(), g.i.plugin.limits.CallDeadline, 0)
	defer g.i.clock.end()
	if err := g.function(name).CallWithStack(g.i.ctx, g.i.stack[:]); err != nil {
		return 0, errors.New(g.i.failure(stream.GuestTrap, "trapped in "+name, err).Error())
	}
	return g.i.stack[0], nil
}

func (g guest) function(name string) api.Function { return g.i.module.ExportedFunction(name) }

func (g guest) Describe() (uint64, error) { return g.call(abi.ExportDescribe) }

func (g guest) Configure(addr, n uint32) (uint64, error) {
	return g.call(abi.ExportConfigure, uint64(addr), uint64(n))
}

func (g guest) HasConfigure() bool { return g.function(abi.ExportConfigure) != nil }

func (g guest) Input(size uint32) (uint32, error) {
	addr, err := g.call(abi.ExportInput, uint64(size))
	return uint32(addr), err
}

func (g guest) Process(frame uint32, s *abitest.State) (uint32, error) {
	if g.i.plugin.Description.Kind == abi.KindProcess {
		g.i.session.begin(s, s.Records())
		defer g.i.session.end()
	}
	addr, err := g.call(abi.ExportProcess, uint64(frame))
	return uint32(addr), err
}

func (g guest) Fold(export string, frame uint32) (uint32, error) {
	addr, err := g.call(export, uint64(frame))
	return uint32(addr), err
}

func (g guest) Merges() bool { return g.function(abi.ExportMerge) != nil }

func (g guest) Memory() []byte { return g.i.refresh() }

func (g guest) Close() error { return g.i.close(g.i.ctx) }
