package generator

import (
	"math/bits"
	"time"
)

// names are the short lists of the published generator, from which queries are
// sure to find something.
type names struct {
	first, last, cities, states, channels []string
}

func newNames() names {
	return names{
		first:    []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"},
		last:     []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"},
		cities:   []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"},
		states:   []string{"AZ", "CA", "ID", "OR", "WA", "WY"},
		channels: []string{"Google", "Facebook", "Baidu", "Apple"},
	}
}

func pick(r *random, list []string) string { return list[r.below(int64(len(list)))] }

// channels is how many channels there are besides the hot ones.
const channels = 10_000

// appendChannel adds a channel, `","url":"` and the url that always goes with
// it. Half of them are hot, and of the others nine in ten name their id.
func (n *nexmark) appendChannel(dst []byte, r *random) []byte {
	if r.below(2) > 0 {
		i := r.below(int64(len(n.names.channels)))
		dst = append(append(dst, n.names.channels[i]...), `","url":"`...)
		own := randomFor(n.seed, uint64(channels+i))
		return appendURL(dst, &own)
	}
	i := r.below(channels)
	dst = append(appendInt(append(dst, "channel-"...), i), `","url":"`...)
	own := randomFor(n.seed, uint64(i))
	dst = appendURL(dst, &own)
	if own.below(10) > 0 {
		id := int64(int32(bits.Reverse32(uint32(i))))
		dst = appendInt(append(dst, "&channel_id="...), max(id, -id))
	}
	return dst
}

func appendURL(dst []byte, r *random) []byte {
	dst = append(dst, "https://www.nexmark.com/"...)
	for range 3 {
		dst = append(r.appendWords(dst, 5, '_'), '/')
	}
	return append(dst, "item.htm?query=1"...)
}

// appendExtra adds the last field and the end of an object: letters that make
// up, on average, for what size lacks of the average size.
func appendExtra(dst []byte, r *random, size, average int) []byte {
	dst = append(dst, `,"extra":"`...)
	if missing := int64(average - size); missing > 0 {
		delta := (missing + 2) / 5 // a fifth, rounded
		n := missing - delta
		if delta > 0 {
			n += r.below(2 * delta)
		}
		dst = r.appendLetters(dst, n)
	}
	return append(dst, `"}`...)
}

// appendTime adds a time in ISO 8601 with milliseconds. The part down to the
// second is printed once per second of event time.
func (n *nexmark) appendTime(dst []byte, ns int64) []byte {
	if second := ns / 1e9; second != n.second || n.date == nil {
		n.second = second
		n.date = time.Unix(second, 0).UTC().AppendFormat(n.date[:0], "2006-01-02T15:04:05")
	}
	dst = append(append(dst, n.date...), '.')
	return append(appendPadded(dst, ns%1e9/1e6, 3), 'Z')
}

// appendPadded adds a number of at most so many digits, with leading zeros.
func appendPadded(dst []byte, n int64, digits int) []byte {
	for range digits {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] = '0' + byte(n%10)
		n /= 10
	}
	return dst
}
