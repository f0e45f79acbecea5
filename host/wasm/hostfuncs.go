package wasm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// hostFunction is a function of module wasmill for one instance. It takes its
// parameters from the stack and leaves its result there. An error traps.
type hostFunction func(i *instance, m api.Memory, stack []uint64) error

var hostFunctions = map[string]hostFunction{
	abi.ImportLog:          (*instance).log,
	abi.ImportNow:          (*instance).now,
	abi.ImportRandom:       (*instance).random,
	abi.ImportSleep:        (*instance).sleep,
	abi.ImportHTTPRequest:  (*instance).httpRequest,
	abi.ImportHTTPResponse: (*instance).httpResponse,
	abi.ImportStateGet:     (*instance).stateGet,
	abi.ImportStatePut:     (*instance).statePut,
	abi.ImportStateDelete:  (*instance).stateDelete,
	abi.ImportStateList:    (*instance).stateList,
	abi.ImportTimerSet:     (*instance).timerSet,
	abi.ImportTimerDelete:  (*instance).timerDelete,
	abi.ImportSideVersion:  (*instance).sideVersion,
	abi.ImportSideRead:     (*instance).sideRead,
}

type instanceKey struct{}

// instantiateHost defines module wasmill in a runtime. Functions find their
// instance in the context of the call, and check its capabilities; some need none.
func instantiateHost(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(abi.ModuleWasmill)
	for name, function := range hostFunctions {
		capability, needed := abi.CapabilityOf(name)
		denied := fmt.Errorf("capability %s is not granted", capability)
		call := func(ctx context.Context, m api.Module, stack []uint64) {
			i := ctx.Value(instanceKey{}).(*instance)
			err := denied
			if i.hostCalls++; i.hostCalls > i.plugin.limits.HostCalls {
				err = fmt.Errorf("more than %d calls of the host in one call (limits.hostCalls)", i.plugin.limits.HostCalls)
			} else if !needed || slices.Contains(i.vertex.Grant, capability) {
				err = function(i, m.Memory(), stack)
			}
			if err != nil {
				panic(fmt.Errorf("%s.%s: %w", abi.ModuleWasmill, name, err))
			}
		}
		t := imported[name]
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(call), valueTypes(t.Params), valueTypes(t.Results)).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("instantiate module %s: %w", abi.ModuleWasmill, err)
	}
	return nil
}

var errRange = errors.New("address range is not inside memory")

func (i *instance) log(m api.Memory, stack []uint64) error {
	text, ok := m.Read(uint32(stack[1]), uint32(stack[2]))
	if !ok {
		return errRange
	}
	level := min(max(stream.GuestLevel(int32(stack[0])), stream.GuestDebug), stream.GuestError)
	i.vertex.log(level, text, i.plugin.limits.LogLines, i.plugin.limits.LogBytes)
	return nil
}

func (i *instance) now(_ api.Memory, stack []uint64) error {
	stack[0] = uint64(time.Now().UnixNano())
	return nil
}

func (i *instance) random(m api.Memory, stack []uint64) error {
	dst, ok := m.Read(uint32(stack[0]), uint32(stack[1]))
	if !ok {
		return errRange
	}
	_, err := rand.Read(dst)
	return err
}
