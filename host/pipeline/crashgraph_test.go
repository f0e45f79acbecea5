package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// kind is what a vertex of a crash does.
type kind int

const (
	isFeed kind = iota
	isHop
	isSeen   // cells by key
	isWindow // cells by window
	isSink
	isHidingSink
)

// crashVertex is what stays the same when a pipeline is built again.
type crashVertex struct {
	kind    kind
	name    stream.VertexID
	order   Order
	onError OnError
	retry   Retry
	always  bool // some values never get through
	swap    bool
	groups  int
	count   int // of a feed
	jitter  int
	prunes  bool
}

func newCrash(rng *rand.Rand) *crash {
	w := &crash{rng: rng}
	w.tags = stream.NewTagTable("a", "b", "c")
	sources, transforms, sinks := 1+rng.IntN(3), rng.IntN(6), 1+rng.IntN(2)
	for i := range sources {
		w.vertices = append(w.vertices, crashVertex{
			kind: isFeed, name: stream.VertexID(fmt.Sprint("s", i)), count: rng.IntN(200), jitter: 1 + rng.IntN(20), prunes: rng.IntN(2) == 0,
		})
	}
	for i := range transforms {
		v := crashVertex{kind: isHop, name: stream.VertexID(fmt.Sprint("x", i)), groups: 1 + rng.IntN(8), swap: rng.IntN(2) == 0}
		switch rng.IntN(5) {
		case 0:
			v.kind = isSeen
		case 1:
			v.kind = isWindow
		}
		v.order = []Order{OrderNone, OrderKey, OrderInput}[rng.IntN(3)]
		v.onError = OnErrorFail
		if v.kind == isHop {
			v.onError = []OnError{OnErrorFail, OnErrorDrop, OnErrorDeadLetter}[rng.IntN(3)]
		} else {
			v.order = OrderKey
		}
		v.always = v.onError != OnErrorFail && rng.IntN(2) == 0
		v.retry = Retry{Attempts: 1 + rng.IntN(4), Backoff: time.Duration(rng.IntN(1_000_000)), MaxBackoff: 2 * time.Millisecond}
		if rng.IntN(4) == 0 {
			v.retry.Backoff, v.retry.MaxBackoff = 20*time.Millisecond, 100*time.Millisecond
		}
		w.add(v)
	}
	for i := range sinks {
		w.add(crashVertex{kind: []kind{isSink, isHidingSink}[rng.IntN(2)], name: stream.VertexID(fmt.Sprint("k", i))})
	}
	w.add(crashVertex{kind: isHidingSink, name: "last"})
	for i := range w.vertices {
		v := &w.vertices[i]
		from := func(e Edge) bool { return e.From == v.name }
		last := len(w.vertices) - 1
		if v.kind == isFeed && !slices.ContainsFunc(w.edges, from) {
			w.join(i, sources+rng.IntN(last+1-sources))
		}
		if v.onError == OnErrorDeadLetter {
			w.edges = append(w.edges, Edge{From: v.name, To: w.vertices[i+1+rng.IntN(last-i)].name, DeadLetters: true})
		}
	}
	w.want = w.model()
	return w
}

// add puts a vertex behind those that are there.
func (w *crash) add(v crashVertex) {
	to := len(w.vertices)
	w.vertices = append(w.vertices, v)
	joined := false
	for _, from := range w.rng.Perm(to)[:min(to, 1+w.rng.IntN(3))] {
		if w.vertices[from].kind < isSink {
			w.join(from, to)
			joined = true
		}
	}
	if !joined {
		w.join(0, to)
	}
}

func (w *crash) join(from, to int) {
	e := Edge{From: w.vertices[from].name, To: w.vertices[to].name}
	for _, tag := range []string{"a", "b", "c"} {
		if w.vertices[from].kind == isHop && w.rng.IntN(4) == 0 {
			e.Tags = append(e.Tags, tag)
		}
	}
	w.edges = append(w.edges, e)
}

// build makes a pipeline's graph, each time with other limits.
func (l *life) build() Graph {
	g := Graph{Edges: l.edges, Tags: l.tags}
	limit := func() Limit { return Limit{l.rng.IntN(2 << l.rng.IntN(9)), 1 + l.rng.IntN(2<<l.rng.IntN(13))} }
	for i, c := range l.vertices {
		name := string(c.name)
		v := Vertex{Name: c.name, Order: c.order, OnError: c.onError, Retry: c.retry, Queue: limit()}
		f := &fails{name: name, onError: c.onError, always: c.always, attempts: c.retry.Attempts, tries: map[string]int{}}
		rng := rand.New(rand.NewPCG(l.rng.Uint64(), 3))
		out := plainSink{crash: l.crash, outside: l.outsides[c.name], name: name, rng: rng}
		switch c.kind {
		case isFeed:
			s := &feed{crash: l.crash, jitter: c.jitter, most: 1 << l.rng.IntN(7), rng: rng, broker: l.brokers[c.name]}
			s.first, s.count = i*perSource, c.count
			v.Source, v.EventTime = s, &EventTime{MaxOutOfOrder: time.Duration(c.jitter)}
		case isSink:
			v.Sink, v.Retry = &out, Retry{Attempts: 3, MaxBackoff: time.Millisecond}
		case isHidingSink:
			v.Sink, v.Retry = &hidingSink{out}, Retry{Attempts: 3, MaxBackoff: time.Millisecond}
		case isHop:
			v.Transform = &hop{crash: l.crash, name: name, fails: f, swap: c.swap}
		default:
			y := &cells{crash: l.crash, name: name, fails: f, window: c.kind == isWindow, dirty: map[int]bool{}}
			for range c.groups {
				y.groups = append(y.groups, map[string][]string{})
			}
			v.Transform = y
		}
		if v.Transform != nil {
			v.Concurrency = 1 << l.rng.IntN(4)
			v.Call, v.Processing, v.Output = limit(), limit(), limit()
			v.CallTime = time.Duration(l.rng.IntN(2)) * time.Millisecond
			if l.rng.IntN(4) == 0 {
				v.MinConcurrency = 1
			}
			v.Wake = func() { l.adjust(v, true) }
			l.transforms = append(l.transforms, v)
		}
		g.Vertices = append(g.Vertices, v)
	}
	return g
}

// item is a record as the model knows it.
type item struct {
	value, key string
	time       int64
	tag        stream.Tag
}

func sourceItem(first, n, jitter int) item {
	value := strconv.Itoa(first + n)
	return item{value: value, key: strconv.Itoa(n % keysPerSource), time: int64(n + hash("time", value)%jitter)}
}

// hops returns what a hop makes of a value.
func hops(name, value string) (out []result) {
	h := hash(name, value)
	for i := range []int{0, 1, 1, 1, 1, 2}[h%6] {
		out = append(out, result{fmt.Sprintf("%s/%s.%d", value, name, i), stream.Tag(max(0, h/(6+i)%8-3))})
	}
	return out
}

// model returns what each sink gets, by value, looking at one vertex after the other.
func (w *crash) model() map[stream.VertexID]map[string]int {
	arrived, want := map[stream.VertexID][]item{}, map[stream.VertexID]map[string]int{}
	look := &world{}
	look.graph.Tags = w.tags
	for i, v := range w.vertices {
		var out []item
		switch v.kind {
		case isFeed:
			for n := range v.count {
				out = append(out, sourceItem(i*perSource, n, v.jitter))
			}
		case isSink, isHidingSink:
			want[v.name] = map[string]int{}
			for _, it := range arrived[v.name] {
				want[v.name][it.value]++
			}
		default:
			out = w.modelOf(&w.vertices[i], arrived[v.name])
		}
		for _, it := range out {
			for _, e := range w.edges {
				if e.From == v.name && look.takes(e, it.tag) {
					arrived[e.To] = append(arrived[e.To], it)
				}
			}
		}
	}
	return want
}

func (w *crash) modelOf(v *crashVertex, in []item) (out []item) {
	f := fails{name: string(v.name), onError: v.onError, always: v.always}
	y := &cells{name: string(v.name), window: v.kind == isWindow}
	windows := map[string][]string{}
	for _, it := range in {
		switch fate := f.fate(it.value); {
		case fate == deadLetter:
			it.value, it.tag = fmt.Sprintf("%s/!%s", it.value, v.name), w.tags.DeadLetter()
			out = append(out, it)
		case fate == dropped:
		case v.kind == isHop:
			for _, r := range hops(string(v.name), it.value) {
				out = append(out, item{r.value, it.key, it.time, r.tag})
			}
		case v.kind == isSeen:
			out = append(out, item{it.value + "/" + string(v.name) + ".0", it.key, it.time, stream.Untagged})
		default:
			cell := y.cell(it.key, it.time)
			windows[cell] = append(windows[cell], it.value)
		}
	}
	for cell, values := range windows {
		key, _, _ := strings.Cut(cell, "|")
		out = append(out, item{windowValue(string(v.name), cell, values), key, cellStart(cell) + 9, stream.Untagged})
	}
	return out
}

func (w *crash) String() string {
	var s strings.Builder
	for _, v := range w.vertices {
		fmt.Fprintf(&s, "\n%+v", v)
		for _, e := range w.edges {
			if e.From == v.name {
				fmt.Fprintf(&s, " → %s%v%v", e.To, e.Tags, e.DeadLetters)
			}
		}
	}
	return s.String()
}
