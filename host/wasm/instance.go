package wasm

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/binary"
	"github.com/wasmill/wasmill/host/wasm/fetch"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// instance is one live guest. One goroutine at a time uses it.
type instance struct {
	plugin    *Plugin
	vertex    *vertex
	ctx       context.Context // carries the instance to host functions
	module    api.Module
	memory    api.Memory
	process   api.Function // nil = it is an aggregate
	aggregate aggregate
	input     api.Function
	stack     [2]uint64
	view      []byte // the guest's memory; read again when its size has changed
	arena     uint32 // address of the input arena
	room      uint32 // its size in bytes
	output    head   // of standard output and error
	decoder   decoder
	clock     clock
	turns     turns  // waited for before each run of the guest
	breath    *byte  // 1 while the guest runs
	free      func() // gives breath back
	wasi      wasi
	journal   *journal // that keeps its frames; nil = none does

	session session
	pinned  []side // the side inputs of the call under way

	hostCalls int    // in the call under way
	answer    []byte // to its last http_request, until it is fetched
}

// vertex is what the instances of one transform share.
type vertex struct {
	Config
	seed   uint64
	said   logWindow
	yields atomic.Uint64
	http   *fetch.Client // nil = denies all
	awake  bool          // sleeping returns at once
	sides  sides
}

// instantiate starts a guest, up to its _initialize.
func (p *Plugin) instantiate(ctx context.Context, v *vertex) (*instance, error) {
	return p.instantiateUpTo(ctx, v, abi.ExportInitialize)
}

// instantiateUpTo makes an instance and calls some of its exports, those that it
// has.
func (p *Plugin) instantiateUpTo(ctx context.Context, v *vertex, exports ...string) (*instance, error) {
	i := &instance{plugin: p, vertex: v, clock: clock{epoch: time.Now(), slice: firstSlice}, wasi: newWASI()}
	i.turns = p.engine.metered
	if p.limits.Unmetered {
		i.turns = p.engine.unmetered
	}
	i.breath, i.free = p.engine.breath.slot(p.Hash)
	i.ctx = context.WithValue(context.WithoutCancel(ctx), instanceKey{}, i)
	config := wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions(exports...).
		WithStdout(&i.output).
		WithStderr(&i.output)
	config = i.wasi.tell(config)
	var memory experimental.LinearMemory
	allocate := func(least, most uint64) experimental.LinearMemory {
		memory = allocateMemory(least, most)
		return memory
	}
	starting := experimental.WithMemoryAllocator(i.ctx, experimental.MemoryAllocatorFunc(allocate))
	if err := i.enter(ctx); err != nil {
		i.free()
		return nil, err
	}
	i.clock.begin(ctx, time.Now(), p.limits.CallDeadline, 0)
	module, err := p.runtime.InstantiateModule(starting, p.compiled, config)
	i.leave()
	if err == nil && module.IsClosed() {
		err = sys.NewExitError(0) // in _initialize: for wazero that is no error
	}
	if err != nil {
		i.free()
		if memory != nil {
			memory.Free() // wazero does not if it was the start section or a data segment that failed
		}
		return nil, i.failure(stream.PluginStart, "failed while it started", err)
	}
	i.module, i.memory = module, module.Memory()
	i.process, i.input = module.ExportedFunction(abi.ExportProcess), module.ExportedFunction(abi.ExportInput)
	i.aggregate = aggregateOf(module)
	i.clock.fuel, _ = module.ExportedGlobal(meter.ExportFuel).(api.MutableGlobal)
	i.decoder = decoder{limits: p.limits, tags: v.Tags}
	return i, nil
}

// close frees the instance. Nothing may use it any more.
func (i *instance) close(ctx context.Context) error {
	defer i.free()
	return i.module.Close(ctx)
}

// refresh returns the guest's memory. It is valid until the guest runs again.
func (i *instance) refresh() []byte {
	if size := i.memory.Size(); int(size) != len(i.view) {
		i.view, _ = i.memory.Read(0, size)
	}
	return i.view
}

// reserve makes the input arena at least size bytes long.
func (i *instance) reserve(size int) error {
	if size <= int(i.room) {
		return nil
	}
	if int64(size) > i.plugin.limits.Memory {
		return i.noRoom(size)
	}
	room := uint64(1) << bits.Len(uint(max(size, PageSize)-1)) // so that the guest is asked seldom
	if room > uint64(i.plugin.limits.Memory)/2 {
		room = uint64(size+abi.Align-1) &^ (abi.Align - 1)
	}
	i.stack[0] = room
	if err := i.input.CallWithStack(i.ctx, i.stack[:]); err != nil {
		return i.failure(stream.GuestTrap, "trapped in "+abi.ExportInput, err)
	}
	addr := uint32(i.stack[0])
	switch end := uint64(addr) + room; {
	case addr == 0:
		return i.noRoom(size)
	case addr%abi.Align != 0 || end > uint64(i.memory.Size()):
		return i.garbage(fmt.Errorf("%s(%d) returned %#x, which is misaligned or not inside the %d bytes of memory",
			abi.ExportInput, room, addr, i.memory.Size()))
	}
	i.arena, i.room = addr, uint32(room)
	return nil
}

func (i *instance) noRoom(size int) error {
	return &stream.Error{
		Code: stream.GuestMemory, Where: i.place(),
		Why: fmt.Sprintf("the plugin has no room for a frame of %d bytes", size),
		Fix: "raise limits.memory of the vertex, or lower its batch.maxBytes",
	}
}

// call gives the guest one frame, and the state of s if it is not nil, and reads what
// it answers into out. On an error the instance is done for, and in is as it was.
func (i *instance) call(ctx context.Context, s Session, in *stream.Batch, out *stream.Output) error {
	if err := i.enter(ctx); err != nil {
		return err
	}
	defer i.leave()
	now := time.Now()
	i.clock.begin(ctx, now, i.plugin.limits.deadline(in.Len()), i.plugin.limits.Fuel)
	defer i.clock.end()
	i.hostCalls, i.answer = 0, nil
	i.output.reset()
	records := uint32(abi.HeaderSize)
	data := records + uint32(in.Len()*abi.InSize)
	if err := i.reserve(int(data) + in.Bytes()); err != nil {
		return err
	}
	i.write(in, now, i.refresh()[i.arena:], i.arena+records, i.arena+data)
	if i.journal != nil {
		i.journal.add(i.arena, in.Len(), i.view[i.arena:][:int(data)+in.Bytes()])
	}
	i.stack[0] = uint64(i.arena)
	i.session.begin(s, in.Len())
	i.pinned = i.vertex.sides.load()
	defer i.unpin()
	err := i.process.CallWithStack(i.ctx, i.stack[:])
	i.session.end()
	if err != nil {
		if i.session.refused != nil {
			return i.session.refused
		}
		return i.failure(stream.GuestTrap, "trapped", err)
	}
	d := &i.decoder
	d.memory, d.data = i.refresh(), i.arena+data
	if err := d.decode(uint32(i.stack[0]), in, out); err != nil {
		return i.garbage(err)
	}
	return nil
}

// write lays a frame out at the start of dst. The addresses are the guest's.
func (i *instance) write(in *stream.Batch, now time.Time, dst []byte, records, data uint32) {
	header := abi.Header{
		Count: uint32(in.Len()), Records: records,
		Now: now.UnixNano(), Watermark: int64(in.Watermark),
		Seed: i.vertex.seed ^ uint64(in.Records[0].Seq)*0x9e3779b97f4a7c15,
	}
	header.Put((*[abi.HeaderSize]byte)(dst))
	table := dst[abi.HeaderSize:][:in.Len()*abi.InSize]
	for k := range in.Records {
		r := &in.Records[k]
		kind, port := inKind(r.Port)
		record := abi.In{
			Time:    r.Time,
			Key:     abi.Ref{Addr: data + r.Key.Off, Len: r.Key.Len},
			Value:   abi.Ref{Addr: data + r.Value.Off, Len: r.Value.Len},
			Headers: abi.Ref{Addr: data + r.Headers.Off, Len: r.Headers.Len},
			Port:    port,
			Kind:    kind,
		}
		record.Put((*[abi.InSize]byte)(table[k*abi.InSize:]))
	}
	copy(dst[data-i.arena:], in.Arena())
}

// describe asks for the guest's description.
func (i *instance) describe() (abi.Description, error) {
	if err := i.enter(i.clock.ctx); err != nil {
		return abi.Description{}, err
	}
	defer i.leave()
	i.stack[0] = 0
	if err := i.module.ExportedFunction(abi.ExportDescribe).CallWithStack(i.ctx, i.stack[:]); err != nil {
		return abi.Description{}, i.failure(stream.PluginDescribe, "trapped in "+abi.ExportDescribe, err)
	}
	text, ok := abi.Unpack(i.stack[0]).In(i.refresh())
	if !ok {
		return abi.Description{}, i.failure(stream.PluginDescribe, "answered "+abi.ExportDescribe+" with a range outside its memory", nil)
	}
	d, err := abi.ParseDescription(text)
	if err != nil {
		return d, i.failure(stream.PluginDescribe, "does not describe itself", err)
	}
	return d, nil
}

// configure gives the guest its parameters.
func (i *instance) configure(params []byte) error {
	configure := i.module.ExportedFunction(abi.ExportConfigure)
	if configure == nil {
		return nil
	}
	if err := i.enter(i.clock.ctx); err != nil {
		return err
	}
	defer i.leave()
	if err := i.reserve(len(params)); err != nil {
		return err
	}
	copy(i.refresh()[i.arena:], params)
	i.stack = [2]uint64{uint64(i.arena), uint64(len(params))}
	if err := configure.CallWithStack(i.ctx, i.stack[:]); err != nil {
		return i.failure(stream.PluginParams, "trapped in "+abi.ExportConfigure, err)
	}
	if i.stack[0] == 0 {
		return nil
	}
	message, ok := abi.Unpack(i.stack[0]).In(i.refresh())
	if !ok {
		return i.failure(stream.PluginParams, "answered "+abi.ExportConfigure+" with a range outside its memory", nil)
	}
	return &stream.Error{
		Code: stream.PluginParams, Where: i.place(),
		Why: "the plugin does not accept its params: " + printable(message, maxReason),
		Fix: "wasmill plugin inspect shows which params it takes",
	}
}

// place names the plugin, and its vertex if it is called for one.
func (i *instance) place() string {
	if i.vertex.Vertex == "" {
		return i.plugin.Path
	}
	return fmt.Sprintf("%s, plugin %s", i.vertex.Vertex, i.plugin.Description.Name)
}

// garbage is the error of a guest that broke the contract.
func (i *instance) garbage(err error) error {
	var over *overLimit
	if errors.As(err, &over) {
		return &stream.Error{
			Code: stream.GuestLimit, Where: i.place(), Why: "the plugin answered more than it may", Err: err,
			Fix: "raise limits." + over.setting + " of the vertex, if that is what the plugin is meant to do",
		}
	}
	return &stream.Error{
		Code: stream.GuestOutput, Where: i.place(), Why: "the plugin broke the ABI", Err: err,
		Fix: "wasmill plugin check " + i.plugin.Path + " tests it against abi/ABI.md",
	}
}

// failure is the error of a guest that trapped, with the last that it printed.
func (i *instance) failure(code stream.Code, what string, err error) error {
	e := &stream.Error{
		Code: code, Where: i.place(), Why: "the plugin " + what,
		Fix: "correct the plugin; wasmill plugin check " + i.plugin.Path + " tries it on many records",
	}
	var exit *sys.ExitError
	switch {
	case errors.Is(err, errDeadline):
		e.Code, e.Why = stream.GuestDeadline, "the plugin ran past its deadline"
		e.Fix = fmt.Sprintf("find out why it takes so long, or raise limits.callDeadline (%v) or recordDeadline of the vertex", i.plugin.limits.CallDeadline)
	case errors.Is(err, errFuel):
		e.Code, e.Why = stream.GuestFuel, fmt.Sprintf("the plugin used more than its %d units of fuel", i.plugin.limits.Fuel)
		e.Fix = "raise sandbox.fuel of the vertex, or lower its batch.maxRecords: it counts for a whole call"
	case tooDeep(err):
		e.Code, e.Why = stream.GuestStack, fmt.Sprintf("the plugin called functions deeper than its stack (%d KiB) takes", i.plugin.limits.Stack>>10)
		e.Fix = "find out what calls itself without end, or raise limits.stack of the vertex"
	case errors.Is(err, errWait):
		e.Code, e.Why = stream.GuestWait, "the plugin waited too long for what it called"
		e.Fix = fmt.Sprintf("lower batch.maxRecords of the vertex, as all waiting in a call counts, or raise limits.waitDeadline (%v)", i.plugin.limits.WaitDeadline)
	case errors.As(err, &exit):
		e.Err = fmt.Errorf("it exited with code %d", exit.ExitCode())
	case err != nil:
		e.Err = errors.New(strings.TrimPrefix(strings.TrimSuffix(firstLine(err.Error()), " (recovered by wazero)"), "wasm error: "))
	}
	if err != nil {
		if at := stack(err); at != "" {
			e.Why += " in " + at
		}
	}
	if said := i.output.text(); said != "" {
		e.Why += "; it printed: " + said
	}
	return e
}

func valueTypes(types []binary.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(types))
	for i, t := range types {
		out[i] = api.ValueType(t)
	}
	return out
}
