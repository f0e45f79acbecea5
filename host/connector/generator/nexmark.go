package generator

import (
	"strconv"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// kind is a type of Nexmark event.
type kind int

const (
	person kind = iota
	auction
	bid
	kinds
)

// kindOf returns the kind of a name in settings, headers and values.
func kindOf(name string) (kind, bool) {
	for k := range kinds {
		if k.name() == name {
			return k, true
		}
	}
	return 0, false
}

func (k kind) name() string {
	switch k {
	case person:
		return "person"
	case auction:
		return "auction"
	}
	return "bid"
}

// Numbers of the published generator. An epoch of events begins with its
// persons, then come its auctions, then its bids.
const (
	personsPerEpoch  = 1
	auctionsPerEpoch = 3
	eventsPerEpoch   = 50

	firstPerson   = 1000
	firstAuction  = 1000
	firstCategory = 10
	categories    = 5

	activePersons   = 1000 // that auctions and bids are by, if not by the hot one
	openAuctions    = 100  // that bids are for, if not for the hot one
	lead            = 10   // ids that may be used before they exist
	hotGroup        = 100  // ids that share a hot one
	hotSellerRatio  = 4    // one in so many is not by the hot seller
	hotAuctionRatio = 2
	hotBidderRatio  = 4

	personBytes  = 200
	auctionBytes = 500
	bidBytes     = 100
)

// maxEvent is above the size of any event's JSON.
const maxEvent = 2 << 10

// nexmark makes Nexmark events. Event n is one of an endless list that seed,
// base time and events per second decide.
type nexmark struct {
	seed      uint64
	base      int64 // ns
	perSecond int64
	wanted    [kinds]bool
	names     names
	prices    prices

	headers [kinds]stream.Span // in the current batch
	blocks  [kinds][]byte
	second  int64  // the time that date is of, in s
	date    []byte // "2015-07-15T00:00:00"
}

func newNexmark(c NexmarkConfig, seed uint64) *nexmark {
	n := &nexmark{seed: seed, perSecond: c.EventsPerSecond, base: c.BaseTime.UnixNano(), names: newNames(), prices: newPrices()}
	if n.perSecond == 0 {
		n.perSecond = DefaultEventsPerSecond
	}
	if c.BaseTime.IsZero() {
		base, err := time.Parse(time.RFC3339, DefaultBaseTime)
		if err != nil {
			panic("BUG: DefaultBaseTime: " + err.Error())
		}
		n.base = base.UnixNano()
	}
	for k := range kinds {
		n.wanted[k] = len(c.Types) == 0
		n.blocks[k] = abi.AppendHeader(nil, "type", []byte(k.name()))
	}
	for _, name := range c.Types {
		if k, ok := kindOf(name); ok {
			n.wanted[k] = true
		}
	}
	return n
}

// kind returns the kind of event i.
func (n *nexmark) kind(i uint64) kind {
	switch rest := i % eventsPerEpoch; {
	case rest < personsPerEpoch:
		return person
	case rest < personsPerEpoch+auctionsPerEpoch:
		return auction
	}
	return bid
}

// time returns the event time of event i in ns, whole milliseconds.
func (n *nexmark) time(i uint64) int64 {
	rate := uint64(n.perSecond)
	ns := n.base + int64(i/rate)*1e9 + int64(i%rate*1e9/rate)
	return ns - ns%1e6
}

// begin stores the header blocks, which the records of a batch share.
func (n *nexmark) begin(b *stream.Batch) {
	for k := range kinds {
		n.headers[k] = b.Store(n.blocks[k])
	}
}

// append adds the value of event i, at most maxEvent bytes.
func (n *nexmark) append(dst []byte, i uint64) []byte {
	r := randomFor(n.seed, i)
	switch n.kind(i) {
	case person:
		return n.person(dst, i, &r)
	case auction:
		return n.auction(dst, i, &r)
	}
	return n.bid(dst, i, &r)
}

func (n *nexmark) person(dst []byte, i uint64, r *random) []byte {
	dst = appendInt(append(dst, `{"type":"person","id":`...), firstPerson+lastPerson(i))
	start := len(dst)
	dst = append(append(dst, `,"name":"`...), pick(r, n.names.first)...)
	dst = append(append(dst, ' '), pick(r, n.names.last)...)
	dst = r.appendWords(append(dst, `","emailAddress":"`...), 7, '.')
	dst = r.appendWords(append(dst, '@'), 5, '-')
	dst = append(dst, `.com","creditCard":"`...)
	for group := range 4 {
		if group > 0 {
			dst = append(dst, ' ')
		}
		dst = appendPadded(dst, r.below(10_000), 4)
	}
	dst = append(append(dst, `","city":"`...), pick(r, n.names.cities)...)
	dst = append(append(dst, `","state":"`...), pick(r, n.names.states)...)
	const punctuation = len(`,"name":"","emailAddress":"","creditCard":"","city":"","state":"`)
	size := 8 + len(dst) - start - punctuation
	dst = n.appendTime(append(dst, `","dateTime":"`...), n.time(i))
	return appendExtra(append(dst, '"'), r, size, personBytes)
}

func (n *nexmark) auction(dst []byte, i uint64, r *random) []byte {
	seller := hot(r, hotSellerRatio, lastPerson(i), 0)
	if seller < 0 {
		seller = anyPerson(r, i)
	}
	now := n.time(i)
	price := n.prices.pick(r)
	dst = appendInt(append(dst, `{"type":"auction","id":`...), firstAuction+lastAuction(i))
	start := len(dst)
	dst = r.appendWords(append(dst, `,"itemName":"`...), 20, ' ')
	dst = r.appendWords(append(dst, `","description":"`...), 100, ' ')
	const punctuation = len(`,"itemName":"","description":"`)
	size := 6*8 + len(dst) - start - punctuation
	dst = appendInt(append(dst, `","initialBid":`...), price)
	dst = appendInt(append(dst, `,"reserve":`...), price+n.prices.pick(r))
	dst = n.appendTime(append(dst, `,"dateTime":"`...), now)
	// An auction is open for as long as it takes, on average, for all auctions
	// that are open at once to begin.
	horizon := (n.time(i+openAuctions*eventsPerEpoch/auctionsPerEpoch) - now) / 1e6
	dst = n.appendTime(append(dst, `","expires":"`...), now+(1+r.below(max(2*horizon, 1)))*1e6)
	dst = appendInt(append(dst, `","seller":`...), firstPerson+seller)
	dst = appendInt(append(dst, `,"category":`...), firstCategory+r.below(categories))
	return appendExtra(dst, r, size, auctionBytes)
}

func (n *nexmark) bid(dst []byte, i uint64, r *random) []byte {
	item := hot(r, hotAuctionRatio, lastAuction(i), 0)
	if item < 0 {
		newest := lastAuction(i)
		oldest := max(newest-openAuctions, 0)
		item = oldest + r.below(newest-oldest+1+lead)
	}
	// The second of the group, so that the hot bidder is not the hot seller.
	bidder := hot(r, hotBidderRatio, lastPerson(i), 1)
	if bidder < 0 {
		bidder = anyPerson(r, i)
	}
	dst = appendInt(append(dst, `{"type":"bid","auction":`...), firstAuction+item)
	dst = appendInt(append(dst, `,"bidder":`...), firstPerson+bidder)
	dst = appendInt(append(dst, `,"price":`...), n.prices.pick(r))
	dst = n.appendChannel(append(dst, `,"channel":"`...), r)
	dst = n.appendTime(append(dst, `","dateTime":"`...), n.time(i))
	return appendExtra(append(dst, '"'), r, 4*8, bidBytes)
}

// lastPerson returns the number of the newest person at event i, from 0.
func lastPerson(i uint64) int64 {
	return int64(i/eventsPerEpoch)*personsPerEpoch + min(int64(i%eventsPerEpoch), personsPerEpoch-1)
}

// lastAuction returns the number of the newest auction at event i, from 0; -1
// if there is none.
func lastAuction(i uint64) int64 {
	begun := int64(i%eventsPerEpoch) - personsPerEpoch + 1 // auctions of this epoch
	return int64(i/eventsPerEpoch)*auctionsPerEpoch + min(max(begun, 0), auctionsPerEpoch) - 1
}

// hot returns the hot one of the group that the last id is in, or -1 one time
// in ratio.
func hot(r *random, ratio, last, offset int64) int64 {
	if r.below(ratio) == 0 {
		return -1
	}
	return last/hotGroup*hotGroup + offset
}

// anyPerson returns one of the active persons, or of the next ones.
func anyPerson(r *random, i uint64) int64 {
	known := lastPerson(i) + 1
	active := min(known, activePersons)
	return known - active + r.below(active+lead)
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
