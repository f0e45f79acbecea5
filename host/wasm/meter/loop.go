package meter

// loop writes the start of a loop.
func (w *writer) loop(in *instruction) {
	w.copy(in)
	w.pending = findDispatch(w.code[in.end:])
	plain := !in.typed || len(w.in.Types[in.index].Params) == 0
	w.open = append(w.open, label{loop: true, plain: plain, start: w.spent, dispatch: w.pending})
}

// block opens a construct that is not a loop.
func (w *writer) block(op uint16) (l label) {
	if d := w.pending; d != nil && op == opBlock && d.opened < len(d.ends) {
		l = label{dispatch: d, block: d.opened}
		d.opened++
	}
	return l
}

// end closes a construct; that of the function has no label.
func (w *writer) end() {
	if len(w.open) == 0 {
		return
	}
	l := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if !l.loop && l.dispatch != nil {
		l.dispatch.ends[l.block] = end{true, w.spent}
	}
}

// branch writes a branch, with a check before it if it leads back to a loop. That
// of br_if is made only where the branch is taken, if the loop takes nothing from
// the stack: the condition then need not live through it.
func (w *writer) branch(in, before, first *instruction) {
	weight, loop := w.back(in, before, first)
	switch {
	case loop == nil:
		w.copy(in)
	case in.op == opBrIf && loop.plain:
		w.out = append(w.out, opIf, noType)
		w.check(weight)
		w.out = appendU32(append(w.out, opBr), branches(in, w.code)[0]+1)
		w.out = append(w.out, opEnd)
	default:
		w.check(weight)
		w.copy(in)
	}
}

// back returns a loop that a branch leads back to, nil if there is none, and the
// most that is spent by doing that again.
func (w *writer) back(in, before, first *instruction) (weight uint32, loop *label) {
	spent := uint64(0)
	for _, depth := range branches(in, w.code) {
		if int64(depth) >= int64(len(w.open)) {
			continue
		}
		l := &w.open[len(w.open)-1-int(depth)]
		if !l.loop {
			continue
		}
		from := l.start
		if in.op == opBr && l.dispatch != nil {
			forward, to := l.dispatch.jump(before, first)
			if forward {
				continue
			}
			from = max(from, to)
		}
		if !l.back {
			l.back = true
			w.result.Loops++
		}
		spent, loop = max(spent, w.spent-from), l
	}
	return uint32(min(spent, maxWeight)), loop
}
