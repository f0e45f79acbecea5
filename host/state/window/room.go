package window

// roomSessions is how many sessions a key may have at once for Room to hold.
const roomSessions = 8

// Need is a number of entries, and of bytes of their keys and values; for timers, of
// their keys and names.
type Need struct{ Entries, Bytes int }

func (n Need) times(k int) Need { return Need{k * n.Entries, k * n.Bytes} }

func (n *Need) add(more Need) { n.Entries, n.Bytes = n.Entries+more.Entries, n.Bytes+more.Bytes }

// Room returns the most that Add needs for one record: for windows and sessions, for
// the lists of members, and of timers. key is the length of the record's key, acc that
// of an accumulator with the record in it. It does not hold for a key with more than 8
// sessions at once.
func (s Spec) Room(key, acc int) (windows, members, timers Need) {
	entry, timers := Need{1, 1 + key + idSize + acc + tailSize}, Need{3, 3 * (key + idSize + 1)}
	if s.Kind == Session {
		return Need{2, entry.Bytes + 1 + key + roomSessions*sessionSize}, Need{}, timers
	}
	n := 1
	if s.Kind == Sliding {
		n = int((s.Size-1)/s.Slide) + 1
	}
	list := 1 + idSize + 4
	page := list + max(pageSize, key+5)
	return entry.times(n), Need{2, list + page}.times(n), timers.times(n)
}
