package state

// Store holds values by group and key. Keys and values are any bytes, the empty
// ones too. Different groups may be used by different goroutines at once; one
// group by one at a time. No method blocks, and none keeps what it is given.
type Store interface {
	// Value returns the value of a key. It is valid until the next change in
	// the group and must not be written to.
	Value(g Group, key []byte) (value []byte, ok bool)

	// Put sets the value of a key until the time expires, in the caller's unit
	// and by the caller's clock (see Expire); 0 is for ever. Without room it
	// changes nothing and returns a *stream.Error state-full.
	Put(g Group, key, value []byte, expires int64) error

	// Delete removes a key. One that is not there is no error.
	Delete(g Group, key []byte)

	// Range visits the entries whose key begins with prefix, in byte order of
	// the keys, until visit returns false. What visit gets is as by Value, and
	// it must not change the group. The first Range in a group of n keys costs
	// O(n log n) and adds 8 to 16 bytes a key; from then on one costs O(log n)
	// and what it visits, and so does an insertion or deletion.
	Range(g Group, prefix []byte, visit func(key, value []byte) bool)

	// Expire says that it is now: entries of the group whose time is up to now
	// are gone. It costs nothing; their memory is found again by insertions.
	// An earlier time than before has no effect.
	Expire(g Group, now int64)

	// Reserve makes room for so many more entries, of together so many bytes
	// of key and value, on top of what was reserved since the last Release.
	// Puts up to there succeed. Else it returns a *stream.Error state-full.
	Reserve(g Group, entries, bytes int) error

	// Release gives back what was reserved and not used.
	Release(g Group)

	// Warm gets ready for calls with these keys, each in the group at its
	// place, and changes nothing. Before the calls for a batch of keys it saves
	// most of the time for which they would wait for memory one by one.
	Warm(groups []Group, keys [][]byte)

	// Usage may be called by anyone at any time.
	Usage() Usage
}

// Usage is what a store or timers hold.
type Usage struct {
	Keys  int64 // entries, with those past their time until their memory is found
	Bytes int64 // of their keys and values
	Held  int64 // of memory for all that, as counted by the budget, clones for a Frozen included
}
