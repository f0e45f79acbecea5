package abi

// Exports of a guest, with their types in ABI.md §1.
const (
	ExportMemory     = "memory"
	ExportMarker     = "wasmill_abi_v1"
	ExportDescribe   = "wasmill_describe"
	ExportInput      = "wasmill_input"
	ExportProcess    = "wasmill_process"
	ExportConfigure  = "wasmill_configure"
	ExportInitialize = "_initialize"

	// MarkerPrefix starts the marker of every ABI version.
	MarkerPrefix = "wasmill_abi_v"
)

// Modules that a guest may import from.
const (
	ModuleWasmill = "wasmill"
	ModuleWASI    = "wasi_snapshot_preview1"
)

// Functions of ModuleWasmill, with their types in ABI.md §5.
const (
	ImportLog          = "log"
	ImportNow          = "now"
	ImportRandom       = "random"
	ImportSleep        = "sleep"
	ImportHTTPRequest  = "http_request"
	ImportHTTPResponse = "http_response"
	ImportStateGet     = "state_get"
	ImportStatePut     = "state_put"
	ImportStateDelete  = "state_delete"
	ImportStateList    = "state_list"
	ImportTimerSet     = "timer_set"
	ImportTimerDelete  = "timer_delete"
	ImportSideVersion  = "side_version"
	ImportSideRead     = "side_read"
)

// IsProcess says whether an import of ModuleWasmill is for guests of KindProcess alone.
func IsProcess(function string) bool {
	switch function {
	case ImportStateGet, ImportStatePut, ImportStateDelete, ImportStateList, ImportTimerSet, ImportTimerDelete:
		return true
	}
	return false
}

// IsSide says whether an import of ModuleWasmill reads side inputs.
func IsSide(function string) bool { return function == ImportSideVersion || function == ImportSideRead }

// Capability is a permission that a vertex grants to its guest.
type Capability string

// The capabilities.
const (
	CapabilityLog    Capability = "log"
	CapabilityClock  Capability = "clock"
	CapabilityRandom Capability = "random"
	CapabilitySleep  Capability = "sleep"
	CapabilityHTTP   Capability = "http"
)

// Capabilities lists all of them.
func Capabilities() []Capability {
	return []Capability{CapabilityLog, CapabilityClock, CapabilityRandom, CapabilitySleep, CapabilityHTTP}
}

// CapabilityOf returns the capability that an import of ModuleWasmill needs.
func CapabilityOf(function string) (Capability, bool) {
	switch function {
	case ImportLog:
		return CapabilityLog, true
	case ImportNow:
		return CapabilityClock, true
	case ImportRandom:
		return CapabilityRandom, true
	case ImportSleep:
		return CapabilitySleep, true
	case ImportHTTPRequest, ImportHTTPResponse:
		return CapabilityHTTP, true
	}
	return "", false
}

// Kind says what a guest does with records.
type Kind string

// The kinds.
const (
	KindMap     Kind = "map"     // turns each record into any number of records, without state
	KindProcess Kind = "process" // the same, with state and timers by key
)

// Kinds lists those that this host runs.
func Kinds() []Kind { return []Kind{KindMap, KindProcess, KindAggregate} }
