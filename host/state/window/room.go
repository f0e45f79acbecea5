package window

// roomSessions is how many sessions a key may have at once for Room to hold.
const roomSessions = 8

// Room returns the most that Add needs for one record: entries of the store and the
// bytes of their keys and values, timers and the bytes of their keys and names. key
// is the length of the record's key, acc that of an accumulator with the record in
// it. It does not hold for a key with more than 8 sessions at once.
func (s Spec) Room(key, acc int) (entries, bytes, timers, timerBytes int) {
	windows := 1
	if s.Kind == Sliding {
		windows = int((s.Size-1)/s.Slide) + 1
	}
	entry := 1 + key + idSize + acc + tailSize
	if s.Kind == Session {
		return 2, entry + 1 + key + roomSessions*sessionSize, 3, 3 * (key + idSize + 1)
	}
	list := 1 + idSize + 4
	page := list + max(pageSize, key+5)
	return 3 * windows, windows * (entry + list + page), 3 * windows, windows * 3 * (key + idSize + 1)
}
