package admin_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The lines of the text format, stricter than its readers are.
var (
	metadata = regexp.MustCompile(`^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (.*))?$`)
	sample   = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:, ?)?)+)\})? ([-+.0-9a-zA-Z]+)$`)
	bucket   = regexp.MustCompile(`,?le="([^"]*)"$`)
)

// parsed is what a text says: values by series.
type parsed struct {
	values   map[string]float64
	types    map[string]string // by family
	families []string          // in their order
	buckets  map[string][2]float64
}

// parse reads a text and refuses it if a line is not well-formed, a family is
// not announced by HELP and TYPE, stands in two places, or names a series twice,
// or if a histogram does not add up.
func parse(text string) (*parsed, error) {
	p := &parsed{values: map[string]float64{}, types: map[string]string{}, buckets: map[string][2]float64{}}
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("the last line is not ended")
	}
	helped := ""
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if err := p.line(line, &helped); err != nil {
			return nil, fmt.Errorf("line %d: %w: %s", i+1, err, line)
		}
	}
	for series, last := range p.buckets {
		if !math.IsInf(last[0], 1) {
			return nil, fmt.Errorf("%s does not end with +Inf", series)
		}
		name, labels, _ := strings.Cut(series, "{")
		count, ok := p.values[strings.TrimSuffix(name+"_count{"+labels, "{}")]
		if ok != strings.HasPrefix(name, "wasmill_") || ok && count != last[1] {
			return nil, fmt.Errorf("%s has %v in buckets and counts %v, %v", series, last[1], count, ok)
		}
	}
	return p, nil
}

func (p *parsed) line(line string, helped *string) error {
	if m := metadata.FindStringSubmatch(line); m != nil {
		switch {
		case m[1] == "HELP" && p.types[m[2]] != "":
			return fmt.Errorf("the family stands in two places")
		case m[1] == "HELP" && strings.HasPrefix(m[2], "wasmill_") && m[3] == "":
			return fmt.Errorf("there is no help")
		case m[1] == "HELP":
			*helped = m[2]
		case *helped != m[2] || p.types[m[2]] != "":
			return fmt.Errorf("the type does not follow the help")
		default:
			p.types[m[2]] = m[3]
			p.families = append(p.families, m[2])
		}
		return nil
	}
	m := sample.FindStringSubmatch(line)
	if m == nil || strings.HasSuffix(m[2], ",") {
		return fmt.Errorf("not a sample")
	}
	value, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return err
	}
	family := p.families[len(p.families)-1]
	suffix, ok := strings.CutPrefix(m[1], family)
	compound := p.types[family] == "histogram" && (suffix == "_bucket" || suffix == "_sum" || suffix == "_count") ||
		p.types[family] == "summary" && (suffix == "" || suffix == "_sum" || suffix == "_count")
	if !ok || suffix != "" && !compound {
		return fmt.Errorf("stands below the family %s", family)
	}
	series := strings.TrimSuffix(m[1]+"{"+m[2]+"}", "{}")
	if _, twice := p.values[series]; twice {
		return fmt.Errorf("the series is there twice")
	}
	p.values[series] = value
	if suffix == "_bucket" {
		return p.bucket(family, m[2], value)
	}
	return nil
}

// bucket checks that bounds and counts rise.
func (p *parsed) bucket(family, labels string, count float64) error {
	m := bucket.FindStringSubmatch(labels)
	if m == nil {
		return fmt.Errorf("the bucket has no bound")
	}
	le, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return err
	}
	series := family + "{" + strings.TrimSuffix(labels, m[0]) + "}"
	if last, ok := p.buckets[series]; ok && (le <= last[0] || count < last[1]) {
		return fmt.Errorf("the buckets do not rise")
	}
	p.buckets[series] = [2]float64{le, count}
	return nil
}
