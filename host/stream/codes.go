package stream

// The codes of every error that reaches a person.
const (
	Internal Code = "internal"

	// Config files, flags and environment.
	Usage              Code = "usage"
	ConfigSyntax       Code = "config-syntax"
	ConfigUnknownKey   Code = "config-unknown-key"
	ConfigDuplicateKey Code = "config-duplicate-key"
	ConfigType         Code = "config-type"
	ConfigValue        Code = "config-value"
	ConfigMissing      Code = "config-missing"
	ConfigFile         Code = "config-file"
	GraphDuplicate     Code = "graph-duplicate-vertex"
	GraphDangling      Code = "graph-dangling-edge"
	GraphCycle         Code = "graph-cycle"
	GraphShape         Code = "graph-shape"
	GraphDuplicateEdge Code = "graph-duplicate-edge"

	// Plugins at load.
	PluginNotFound    Code = "plugin-not-found"
	PluginName        Code = "plugin-name"
	PluginFile        Code = "plugin-file"
	PluginTooLarge    Code = "plugin-too-large"
	PluginNotWasm     Code = "plugin-not-wasm"
	PluginComponent   Code = "plugin-component"
	PluginInvalid     Code = "plugin-invalid"
	PluginABI         Code = "plugin-abi"
	PluginExport      Code = "plugin-export"
	PluginImport      Code = "plugin-import"
	PluginCapability  Code = "plugin-capability"
	PluginCompile     Code = "plugin-compile"
	PluginMemory      Code = "plugin-memory"
	PluginStart       Code = "plugin-start"
	PluginDescribe    Code = "plugin-describe"
	PluginParams      Code = "plugin-params"
	PluginQuarantined Code = "plugin-quarantined"
	PluginState       Code = "plugin-state"
	PluginCanary      Code = "plugin-canary"
	PluginChanged     Code = "plugin-changed"   // while it was loaded: it is worth another try
	PluginLock        Code = "plugin-lock"      // not as plugins.lock has it
	PluginSignature   Code = "plugin-signature" // by no key that is trusted

	// Guests in a call.
	GuestTrap     Code = "guest-trap"
	GuestDeadline Code = "guest-deadline"
	GuestOutput   Code = "guest-output"
	GuestWait     Code = "guest-wait"
	GuestFuel     Code = "guest-fuel"
	GuestLimit    Code = "guest-limit"
	GuestMemory   Code = "guest-memory"
	GuestReplay   Code = "guest-replay"
	GuestStack    Code = "guest-stack"
	RecordError   Code = "record-error"
	RecordSize    Code = "record-too-large"

	// State.
	StateFull    Code = "state-full"
	StateCorrupt Code = "state-corrupt"
	StateForeign Code = "state-foreign"

	// The store of checkpoints.
	StoreUnavailable   Code = "store-unavailable"
	StoreDenied        Code = "store-denied"
	StoreMisconfigured Code = "store-misconfigured"
	StoreNotAtomic     Code = "store-not-atomic"

	// Checkpoints.
	CheckpointFenced     Code = "checkpoint-fenced"     // another writer took over
	CheckpointUnreadable Code = "checkpoint-unreadable" // none of them can be read
	CheckpointDamaged    Code = "checkpoint-damaged"    // one cannot be read
	CheckpointFormat     Code = "checkpoint-format"     // written by a newer wasmill
	CheckpointFailed     Code = "checkpoint-failed"     // too many failed in a row
	CheckpointUnfit      Code = "checkpoint-unfit"      // not all of it fits the pipeline

	// Sources, sinks and the machine.
	InputMissing    Code = "input-missing"
	InputUnreadable Code = "input-unreadable"
	InputDirectory  Code = "input-directory"
	InputCorrupt    Code = "input-corrupt"
	InputChanged    Code = "input-changed"
	PositionInvalid Code = "position-invalid"
	OutputFile      Code = "output-file"
	Environment     Code = "environment"
	DrainTimeout    Code = "drain-timeout"
	WorkerDied      Code = "worker-died" // a supervised process, again and again

	// Instances in the background.
	InstanceExists      Code = "instance-exists"
	InstanceUnknown     Code = "instance-unknown"
	InstanceName        Code = "instance-name"
	InstanceState       Code = "instance-state"       // it is not in a state for that
	InstanceCheckpoints Code = "instance-checkpoints" // its store has some that are not its own
	InstanceFailed      Code = "instance-failed"      // it does not run, and was to
	InstanceTimeout     Code = "instance-timeout"     // it takes longer than was waited for
	InstanceDamaged     Code = "instance-damaged"     // what is kept of it cannot be read
	InstanceFormat      Code = "instance-format"      // written by a newer wasmill
	InstanceVersion     Code = "instance-version"     // it runs with another wasmill, or with the same

	// Processes, and background instances.
	NotReady  Code = "not-ready"
	DataOwned Code = "data-owned" // a data.dir of an instance, or of foreground runs

	// Projects: sources of plugins.
	ProjectUnknown   Code = "project-unknown" // there is none in the folder
	ProjectExists    Code = "project-exists"  // something is there already
	ToolchainMissing Code = "toolchain-missing"
	ToolchainOld     Code = "toolchain-old"
	BuildFailed      Code = "build-failed" // the compiler says why

	// Kept configs.
	RevisionUnknown Code = "revision-unknown"
	RevisionDamaged Code = "revision-damaged"
)

// exits lists the codes whose cause is not the user's input.
var exits = map[Code]int{
	Internal:             ExitInternal,
	PluginFile:           ExitEnvironment,
	StateCorrupt:         ExitEnvironment,
	StoreUnavailable:     ExitEnvironment,
	StoreDenied:          ExitEnvironment,
	StoreMisconfigured:   ExitEnvironment,
	StoreNotAtomic:       ExitEnvironment,
	CheckpointFenced:     ExitFenced,
	CheckpointUnreadable: ExitEnvironment,
	CheckpointDamaged:    ExitEnvironment,
	CheckpointFormat:     ExitEnvironment,
	CheckpointFailed:     ExitEnvironment,
	InputUnreadable:      ExitEnvironment,
	OutputFile:           ExitEnvironment,
	Environment:          ExitEnvironment,
	DrainTimeout:         ExitEnvironment,
	WorkerDied:           ExitInternal,
	InstanceFailed:       ExitEnvironment,
	InstanceTimeout:      ExitEnvironment,
	InstanceDamaged:      ExitEnvironment,
	InstanceFormat:       ExitEnvironment,
	NotReady:             ExitEnvironment,
	ToolchainMissing:     ExitEnvironment,
	ToolchainOld:         ExitEnvironment,
	RevisionDamaged:      ExitEnvironment,
}
