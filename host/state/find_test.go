package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestWhatWasFoundStaysUntilEntriesMove writes to values that Find returned while
// other entries come, grow and go.
func TestWhatWasFoundStaysUntilEntriesMove(t *testing.T) {
	const groups = 3
	random := rand.New(rand.NewPCG(1, 2))
	m := NewMemory(groups, NewBudget("test", 0))
	plain := map[string][]byte{}
	groupOf := func(key []byte) Group { return GroupOf(key, groups) }
	kept, lost := 0, 0
	for range 3000 {
		var in []Group
		var keys [][]byte
		for range random.IntN(3 * warmStep) {
			key := fmt.Appendf(nil, "%0*d", 1+random.IntN(300), random.IntN(2000))
			if random.IntN(20) > 0 {
				key = fmt.Append(nil, random.IntN(2000))
			}
			in, keys = append(in, groupOf(key)), append(keys, key)
		}
		values := make([][]byte, len(keys))
		m.Find(in, keys, values)
		var moves [groups]uint64
		for g := range moves {
			moves[g] = m.Moves(Group(g))
		}
		changed := map[string]bool{}
		for i, key := range keys {
			want, ok := plain[string(key)]
			if (values[i] != nil) != ok && !changed[string(key)] {
				t.Fatalf("key %q: found %q, want %q", key, values[i], want)
			}
			switch {
			case values[i] != nil && !changed[string(key)] && moves[in[i]] == m.Moves(in[i]):
				if !bytes.Equal(values[i], want) {
					t.Fatalf("key %q: found %q, want %q", key, values[i], want)
				}
				if kept++; len(want) > 0 {
					values[i][0], want[0] = byte(i), byte(i)
				}
			case random.IntN(4) == 0:
				m.Delete(in[i], key)
				delete(plain, string(key))
				changed[string(key)] = true
			default:
				lost++
				v := bytes.Repeat([]byte{'v'}, random.IntN(60))
				if random.IntN(50) == 0 {
					v = bytes.Repeat([]byte{'w'}, random.IntN(70_000))
				}
				if err := m.Put(in[i], key, v, 0); err != nil {
					t.Fatal(err)
				}
				plain[string(key)], changed[string(key)] = v, true
			}
		}
	}
	for key, want := range plain {
		if got, ok := m.Value(groupOf([]byte(key)), []byte(key)); !ok || !bytes.Equal(got, want) {
			t.Errorf("key %q: %q, %v, want %q", key, got, ok, want)
		}
	}
	if kept < 10_000 || lost < 10_000 {
		t.Errorf("%d values were written to, %d put", kept, lost)
	}
}

func TestMovesTellsWhenOthersGetToOtherPlaces(t *testing.T) {
	const n = 500
	random := rand.New(rand.NewPCG(3, 4))
	m := NewMemory(1, NewBudget("test", 0))
	keys, values, plain := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	for i := range keys {
		keys[i], plain[i] = fmt.Append(nil, i), []byte("value")
		if err := m.Put(0, keys[i], plain[i], 0); err != nil {
			t.Fatal(err)
		}
	}
	moved := 0
	for range 50 {
		m.Find(make([]Group, n), keys, values)
		before := m.Moves(0)
		for i := range n - 1 {
			plain[i] = bytes.Repeat([]byte{'v'}, 1+random.IntN(100))
			if err := m.Put(0, keys[i], plain[i], 0); err != nil {
				t.Fatal(err)
			}
			if m.Moves(0) != before {
				moved++
				break
			}
			j := i + 1 + random.IntN(n-i-1)
			values[j][0]++
			plain[j][0]++
		}
		for i, want := range plain {
			if got, _ := m.Value(0, keys[i]); !bytes.Equal(got, want) {
				t.Fatalf("key %d: %q, want %q", i, got, want)
			}
		}
	}
	if moved < 10 || moved == 50 {
		t.Errorf("others moved in %d of 50 rounds", moved)
	}
}

func TestMovesTellsWhenOthersEnd(t *testing.T) {
	m := NewMemory(1, NewBudget("test", 0))
	put := func(key string, expires int64) {
		if err := m.Put(0, []byte(key), []byte("v"), expires); err != nil {
			t.Fatal(err)
		}
	}
	put("a", 10)
	m.Expire(0, 10)
	before := m.Moves(0)
	if put("b", 0); m.Moves(0) == before {
		t.Error("an entry ended, and nothing moved")
	}
}

func TestMovesTellsOfAFreeze(t *testing.T) {
	m := NewMemory(1, NewBudget("test", 0))
	before := m.Moves(0)
	if m.Freeze(true).Release(false); m.Moves(0) == before {
		t.Error("a view may read what was found before, and nothing moved")
	}
}
