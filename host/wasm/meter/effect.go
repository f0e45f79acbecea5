package meter

// unaryVector says whether a vector instruction, by what follows the prefix,
// takes one operand and leaves one.
func unaryVector(sub byte) bool {
	switch {
	case sub <= 10, sub >= 15 && sub <= 22, sub == 24, sub == 25, sub == 27, sub == 29, sub == 31, sub == 33: // loads, splats, lanes
	case sub == 77, sub == 83, sub >= 92 && sub <= 100, sub >= 103 && sub <= 106, sub == 116, sub == 117, sub == 122:
	case sub >= 124 && sub <= 129, sub == 131, sub == 132, sub >= 135 && sub <= 138, sub == 148:
	case sub == 160, sub == 161, sub == 163, sub == 164, sub >= 167 && sub <= 170:
	case sub == 192, sub == 193, sub == 195, sub == 196, sub >= 199 && sub <= 202:
	case sub == 224, sub == 225, sub == 227, sub == 236, sub == 237, sub == 239, sub >= 248:
	default:
		return false
	}
	return true
}

// effect returns how many operands an instruction takes and leaves that neither
// calls nor branches.
func effect(in *instruction) (takes, leaves int) {
	switch op := in.op; {
	case op>>8 == prefixSIMD:
		return vectorEffect(byte(op))
	case op>>8 == prefixMisc:
		return miscEffect(op)
	case op == opDrop, op == opLocalSet, op == opGlobalSet:
		return 1, 0
	case op == opSelect, op == opSelectTyped:
		return 3, 1
	case op == opTableSet, op >= 0x36 && op <= 0x3e: // stores
		return 2, 0
	case op == opLocalGet, op == opGlobalGet, op == 0x3f, op >= opI32Const && op <= 0x44, op == opRefNull, op == opRefFunc:
		return 0, 1
	case op == opLocalTee, op == opTableGet, op == opMemoryGrow, op >= 0x28 && op <= 0x35: // loads
		return 1, 1
	case op == 0x45, op == 0x50, op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b, op >= 0x8b && op <= 0x91, op >= 0x99 && op <= 0x9f, op >= 0xa7:
		return 1, 1
	case op >= 0x46 && op <= 0xa6:
		return 2, 1
	}
	return 0, 0
}

func miscEffect(op uint16) (takes, leaves int) {
	switch {
	case op < opMemoryInit: // conversions
		return 1, 1
	case op == opTableSize:
		return 0, 1
	case op == opTableGrow:
		return 2, 1
	case op == opDataDrop, op == opElemDrop:
		return 0, 0
	}
	return 3, 0
}

func vectorEffect(sub byte) (takes, leaves int) {
	switch {
	case unaryVector(sub):
		return 1, 1
	case sub == 12: // v128.const
		return 0, 1
	case sub == 11, sub >= 88 && sub <= 91: // stores
		return 2, 0
	case sub == 82: // v128.bitselect
		return 3, 1
	}
	return 2, 1
}
