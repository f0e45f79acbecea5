package meter

// around appends the start of a block around the body: what branched to the
// function's end or returned then comes by up.
func (w *writer) around(typ uint32) {
	w.out = append(w.out, opBlock)
	switch results := w.in.Types[typ].Results; len(results) {
	case 0:
		w.out = append(w.out, noType)
	case 1:
		w.out = append(w.out, byte(results[0]))
	default:
		w.out = appendU32(w.out, w.blocks[typ])
	}
}

// down takes the function's frame off the stack that is left, and its cost off
// the fuel, with one test for both.
func (w *writer) down() {
	if !w.free {
		w.global(opGlobalGet)
		w.out = appendS64(append(w.out, opI64Const), int64(max(w.cost, 1)))
		w.out = append(w.out, opI64Sub)
		w.global(opGlobalSet)
	}
	w.move(opI64Sub)
	w.stack(opGlobalGet)
	if !w.free {
		w.global(opGlobalGet)
		w.out = append(w.out, opI64Or)
	}
	w.yieldBelow0()
}

// up gives the frame back.
func (w *writer) up() { w.move(opI64Add) }

func (w *writer) move(op byte) {
	w.stack(opGlobalGet)
	w.out = appendS64(append(w.out, opI64Const), int64(w.depth))
	w.out = append(w.out, op)
	w.stack(opGlobalSet)
}

func (w *writer) stack(op byte) { w.out = appendU32(append(w.out, op), w.globals+1) }
