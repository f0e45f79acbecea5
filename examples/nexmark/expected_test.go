package nexmark_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// expected says what each query gives for events, in any order of lines. It is computed
// in the plain way, with nothing in it of what the pipelines are made of. q12 has no place
// here: its results depend on the clock.
var expected = map[string]func(list) []string{
	"q3": q3, "q4": q4, "q5": q5, "q7": q7, "q8": q8, "q11": q11, "q16": q16, "q17": q17, "q18": q18, "q19": q19,
}

const (
	second = int64(time.Second)
	day    = 24 * 3600 * second
)

// stamp writes a time as aggregations do.
func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// of calls do with each event of a kind, in the order of the stream.
func (l list) of(kind string, do func(e *event, at int64)) {
	for i := range l.events {
		if l.events[i].kind == kind {
			do(&l.events[i], l.at[i])
		}
	}
}

func q3(l list) (lines []string) {
	sellers := map[int64]string{}
	l.of("person", func(p *event, _ int64) {
		if p.state == "OR" || p.state == "ID" || p.state == "CA" {
			sellers[p.id] = p.line
		}
	})
	l.of("auction", func(a *event, _ int64) {
		if person, ok := sellers[a.seller]; ok && a.category == 10 {
			lines = append(lines, fmt.Sprintf(`{"key":"%d","left":%s,"right":%s,"start":null,"end":null}`, a.seller, a.line, person))
		}
	})
	return lines
}

func q4(l list) (lines []string) {
	type closing struct {
		from, to, category, price int64
		sold                      bool
	}
	auctions := map[int64]*closing{}
	l.of("auction", func(a *event, at int64) {
		auctions[a.id] = &closing{from: at, to: a.expires, category: a.category}
	})
	l.of("bid", func(b *event, at int64) {
		if a := auctions[b.auction]; a != nil && at >= a.from && at <= a.to {
			a.sold, a.price = true, max(a.price, b.price)
		}
	})
	sum, count := map[int64]int64{}, map[int64]int64{}
	for _, a := range auctions {
		if a.sold {
			sum[a.category] += a.price
			count[a.category]++
		}
	}
	for category, n := range count {
		average := strconv.FormatFloat(float64(sum[category])/float64(n), 'f', -1, 64)
		lines = append(lines, fmt.Sprintf(`{"key":"%d","start":null,"end":null,"fired":"on-time","avg":%s}`, category, average))
	}
	return lines
}

func q5(l list) (lines []string) {
	const size, slide = 10 * second, 2 * second
	counts := map[int64]map[int64]int{} // by end and auction
	l.of("bid", func(b *event, at int64) {
		for end := at - at%slide + slide; end <= at+size; end += slide {
			if counts[end] == nil {
				counts[end] = map[int64]int{}
			}
			counts[end][b.auction]++
		}
	})
	for end, of := range counts {
		most := 0
		for _, n := range of {
			most = max(most, n)
		}
		for auction, n := range of {
			if n == most {
				lines = append(lines, fmt.Sprintf(`{"key":"%d","start":"%s","end":"%s","fired":"on-time","count":%d}`, auction, stamp(end-size), stamp(end), n))
			}
		}
	}
	return lines
}

func q7(l list) (lines []string) {
	highest := map[int64]int64{}
	l.of("bid", func(b *event, at int64) {
		highest[at/(10*second)] = max(highest[at/(10*second)], b.price)
	})
	l.of("bid", func(b *event, at int64) {
		if b.price == highest[at/(10*second)] {
			lines = append(lines, b.line)
		}
	})
	return lines
}

func q8(l list) (lines []string) {
	const size = 10 * second
	type opening struct{ seller, window int64 }
	opened := map[opening]int{}
	l.of("auction", func(a *event, at int64) { opened[opening{a.seller, at / size}]++ })
	l.of("person", func(p *event, at int64) {
		if n := opened[opening{p.id, at / size}]; n > 0 {
			window := fmt.Sprintf(`"start":"%s","end":"%s"`, stamp(at/size*size), stamp(at/size*size+size))
			lines = append(lines, fmt.Sprintf(`{"key":"%d","left":%s,"right":{"key":"%d",%s,"fired":"on-time","count":%d},%s}`, p.id, p.line, p.id, window, n, window))
		}
	})
	return lines
}

func q11(l list) (lines []string) {
	const gap = 10 * second
	type session struct{ first, last, bids int64 }
	open := map[int64]session{}
	report := func(bidder int64, s session) {
		lines = append(lines, fmt.Sprintf(`{"key":"%d","start":"%s","end":"%s","fired":"on-time","count":%d}`, bidder, stamp(s.first), stamp(s.last+gap), s.bids))
	}
	l.of("bid", func(b *event, at int64) {
		s, ok := open[b.bidder]
		if ok && at-s.last >= gap {
			report(b.bidder, s)
		}
		if !ok || at-s.last >= gap {
			s = session{first: at}
		}
		open[b.bidder] = session{s.first, at, s.bids + 1}
	})
	for bidder, s := range open {
		report(bidder, s)
	}
	return lines
}

// rank is 0, 1 or 2.
func rank(price int64) int {
	switch {
	case price < 10_000:
		return 0
	case price < 1_000_000:
		return 1
	}
	return 2
}

func date(at int64) string { return time.Unix(0, at).UTC().Format(time.DateOnly) }

func q16(l list) (lines []string) {
	type channel struct{ name, day string }
	type set map[int64]bool
	type figures struct {
		bids              [4]int
		bidders, auctions [4]set
	}
	channels := map[channel]*figures{}
	l.of("bid", func(b *event, at int64) {
		f := channels[channel{b.channel, date(at)}]
		if f == nil {
			f = &figures{}
			for i := range 4 {
				f.bidders[i], f.auctions[i] = set{}, set{}
			}
			channels[channel{b.channel, date(at)}] = f
		}
		for _, i := range []int{0, 1 + rank(b.price)} {
			f.bids[i]++
			f.bidders[i][b.bidder], f.auctions[i][b.auction] = true, true
		}
	})
	for c, f := range channels {
		line := fmt.Sprintf(`{"channel":"%s","day":"%s"`, c.name, c.day)
		for i, name := range []string{"total", "rank1", "rank2", "rank3"} {
			line += fmt.Sprintf(`,"%s_bids":%d`, name, f.bids[i])
		}
		for i, name := range []string{"total", "rank1", "rank2", "rank3"} {
			line += fmt.Sprintf(`,"%s_bidders":%d`, name, len(f.bidders[i]))
		}
		for i, name := range []string{"total", "rank1", "rank2", "rank3"} {
			line += fmt.Sprintf(`,"%s_auctions":%d`, name, len(f.auctions[i]))
		}
		lines = append(lines, line+"}")
	}
	return lines
}

func q17(l list) (lines []string) {
	type auction struct{ id, day int64 }
	prices := map[auction][]int64{}
	l.of("bid", func(b *event, at int64) {
		a := auction{b.auction, at / day}
		prices[a] = append(prices[a], b.price)
	})
	for a, p := range prices {
		var ranks [3]int
		var sum int64
		for _, price := range p {
			ranks[rank(price)]++
			sum += price
		}
		lines = append(lines, fmt.Sprintf(`{"auction":%d,"day":"%s","total":%d,"rank1":%d,"rank2":%d,"rank3":%d,"min":%d,"max":%d,"avg":%d,"sum":%d}`,
			a.id, date(a.day*day), len(p), ranks[0], ranks[1], ranks[2], slices.Min(p), slices.Max(p), sum/int64(len(p)), sum))
	}
	return lines
}

func q18(l list) (lines []string) {
	type pair struct{ bidder, auction int64 }
	type bid struct {
		at   int64
		line string
	}
	last := map[pair]bid{}
	l.of("bid", func(b *event, at int64) {
		p := pair{b.bidder, b.auction}
		if at >= last[p].at {
			last[p] = bid{at, b.line}
		}
	})
	for _, b := range last {
		lines = append(lines, b.line)
	}
	return lines
}

func q19(l list) (lines []string) {
	type bid struct {
		price, at int64
		line      string
	}
	bids := map[int64][]bid{}
	l.of("bid", func(b *event, at int64) {
		bids[b.auction] = append(bids[b.auction], bid{b.price, at, b.line})
	})
	for auction, of := range bids {
		slices.SortFunc(of, func(a, b bid) int {
			return cmp.Or(cmp.Compare(b.price, a.price), cmp.Compare(a.at, b.at), cmp.Compare(a.line, b.line))
		})
		var items []string
		for _, b := range of[:min(10, len(of))] {
			items = append(items, fmt.Sprintf(`{"by":%d,"item":%s}`, b.price, b.line))
		}
		lines = append(lines, fmt.Sprintf(`{"key":"%d","start":null,"end":null,"fired":"on-time","topK":[%s]}`, auction, strings.Join(items, ",")))
	}
	return lines
}
