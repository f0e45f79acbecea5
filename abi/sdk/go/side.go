package wasmill

// A plugin may have side inputs: values that a file or an edge of the pipeline gives. Copy
// side.go, side_wasm.go and side_native.go too. This one multiplies numbers by such a value:
//
//	var (
//		factor = wasmill.Side{Name: "factor"}
//		times  = 1
//	)
//
//	func init() { wasmill.Map(`{"name": "scale", "kind": "map"}`, scale) }
//
//	func main() {} // not called
//
//	func scale(r *wasmill.Record, out *wasmill.Output) error {
//		if factor.Changed() {
//			times, _ = strconv.Atoi(string(bytes.TrimSpace(factor.Value)))
//		}
//		n, err := strconv.Atoi(string(r.Value))
//		if err != nil {
//			return err
//		}
//		out.Buf = strconv.AppendInt(out.Buf, int64(n*times), 10)
//		r.Value = out.Take()
//		out.Emit(r)
//		return nil
//	}
//
// The vertex says what it is: `sideInputs: {factor: {file: factor.txt}}`.

// Side is a side input, as an instance has read it.
type Side struct {
	Name    string
	Value   []byte // as of the last Changed; nil before
	version int64
}

// Changed looks for another value, and says whether it read one: in the first call that asks,
// and after each change. It does not change while the records of a call are handled, so that
// asking for each of them costs no more than a call of the host.
func (s *Side) Changed() bool {
	version := sideVersion(s.Name)
	if version == s.version || version < 0 {
		return false
	}
	s.version, s.Value = version, sideRead(s.Name, s.Value)
	return true
}
