// Package checkpoint decides when a pipeline is checkpointed, stores what its
// vertices give, and brings it back.
//
//	Coordinator ─Trigger▶ sources ▸ barriers ▸ vertices ─Snapshots▶ Writer ─▶ Store
//	     ▲                                                             │
//	     └── BarrierPassed, SnapshotDone, Published, SinkCommitted … ◀─┘
//	Store ─▶ Reader ─parts▶ vertices           Collector: what is not kept goes
//
// Below a store's root, with numbers of 20 digits:
//
//	<pipeline>/generations/<g>            who writes; claimed at each start by Create
//	<pipeline>/starts/<g>-<e>             it goes on from checkpoint e, and abandons later ones
//	<pipeline>/starts/<g>-adopted         the same, from one of another pipeline or store
//	<pipeline>/gen-<g>/<e>/data-<n>       blocks of parts
//	<pipeline>/gen-<g>/<e>/manifest.json  what checkpoint e is; names all that it needs
//	<pipeline>/epochs/<e>                 the commit point, by Create: names the manifest
//	<pipeline>/committed/<e>              the sinks have committed
//
// A manifest, format 1 (lines folded; a part is in data, base64, or at whole blocks
// of an object; parts that carry on from earlier checkpoints come before new ones):
//
//	{"format":1,"wasmill":"1.4.0","pipeline":"access-log","generation":3,"epoch":42,"parent":41,
//	 "nonce":"O45C…","created":"2026-01-01T00:00:00Z","reason":"interval",
//	 "config":{"revision":7,"interval":"10s"},"duration":{"align":"3ms","snapshot":"8ms","upload":"41ms"},
//	 "size":{"new":2097152,"stored":310211,"total":9437184},
//	 "vertices":[{"vertex":"count","meta":{"plugin":"count"},"commit":"cmVuYW1l","parts":[
//	  {"epoch":40,"table":"state","from":0,"to":128,"full":true,"entries":9000,"bytes":7340032,
//	   "at":[{"object":0,"from":8,"to":1108733}]},
//	  {"epoch":42,"table":"state","from":3,"to":4,"entries":1,"bytes":9,"data":"aGVsbG8gOik="}]}],
//	 "objects":[{"name":"gen-…/data-…","bytes":1108733,"crc32c":"a33dc9f3"}]}
//
// Sizes per vertex: jq '.vertices[] | [.vertex, (.parts | map(.bytes) | add)]'.
//
// A snapshot may give parts as a Stream, which the goroutine of Write reads and stores
// as they come: no more of them is in memory than the objects under way and one more.
// Only when all are laid out is it known which objects of the parent are still needed;
// they are put before the new ones.
//
// Nothing here starts a goroutine that outlives a call. Coordinator is stepped by one
// goroutine; Writer, Reader and Collector may be used beside it and each other.
//
// Invariants
//
//  1. Epochs ascend, also over restarts. At most MaxInFlight are under way, and each
//     that is triggered is published or aborted, and that once.
//  2. Checkpoints are published in their order, one at a time, each after the one
//     before is committed or aborted. What is published is committed until it succeeds.
//  3. A checkpoint is due an interval after the start of the last, with the settings
//     in force at that moment; a new interval never moves a trigger to a later time.
//  4. A checkpoint that is given up changes nothing for those before and after it: the
//     next has all that changed since the last one that was published.
//  5. A record exists only if its manifest and every object that names is stored. Of
//     two writers of an epoch one gets it. Of two generations the newer one has its
//     way: what the older one publishes unseen is abandoned, and it commits nothing.
//  6. A restore delivers what was given, checked by length and CRC-32C, or an error. Only
//     damage leads to an older checkpoint; never to an empty start, nor does silence.
//  7. No object is deleted that a kept manifest or the Writer's parent names, or that
//     a checkpoint under way may; if any of this is not known, nothing is.
package checkpoint
