package meter

import wasm "github.com/wasmill/wasmill/host/wasm/binary"

// dispatch is what Go's compiler makes of jumps: a loop that starts with blocks
// and a br_table over a local, which names the block that is to be left.
//
//	loop
//	  block block block
//	    local.get $to
//	    br_table 0 1 2
//	  end                  ;; to 0
//	  …
//	    i32.const 2
//	    local.set $to
//	    br 2               ;; forward, although to a loop: it needs no check
//	  …
type dispatch struct {
	local  uint32
	depths []uint32
	opened int // blocks so far
	ends   []end
}

// end is that of a block of a dispatch.
type end struct {
	seen  bool
	spent uint64 // writer.spent there
}

// findDispatch returns what a loop's body starts with, nil if it is something
// else.
func findDispatch(body []byte) *dispatch {
	r := wasm.NewReader(body)
	blocks := 0
	in := next(r)
	for ; in.op == opBlock && r.Err() == nil; in = next(r) {
		blocks++
	}
	if in.op != opLocalGet || r.Err() != nil {
		return nil
	}
	table := next(r)
	if table.op != opBrTable || r.Err() != nil {
		return nil
	}
	return &dispatch{local: in.index, depths: branches(&table, body), ends: make([]end, blocks)}
}

// jump says whether a branch to the loop, after the two instructions before it,
// leads forward, and otherwise where from it will spend again; 0 = not known.
func (d *dispatch) jump(before, first *instruction) (forward bool, from uint64) {
	if before.op != opLocalSet || before.index != d.local || first.op != opI32Const || first.value == 0 {
		return false, 0
	}
	depth := d.depths[min(int64(first.value), int64(len(d.depths)-1))]
	if int64(depth) >= int64(len(d.ends)) {
		return false, 0
	}
	e := d.ends[len(d.ends)-1-int(depth)]
	return !e.seen, e.spent
}
