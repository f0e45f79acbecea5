package host

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// verdicts says what is to be done, a word each.
func verdicts(todo []verdict, twice []duplicate) (all []string) {
	for _, v := range todo {
		for word, is := range map[string]bool{"begin": v.begin, "again": v.again, "reload": v.reload, "leave": v.leave, "gone": !v.gone.IsZero() && !v.leave} {
			if is {
				all = append(all, fmt.Sprintf("%s %s of %s", word, v.name, v.file))
			}
		}
		if !v.begin && !v.again && !v.reload && !v.leave && v.gone.IsZero() {
			all = append(all, fmt.Sprintf("keep %s of %s", v.name, v.file))
		}
	}
	for _, d := range twice {
		all = append(all, fmt.Sprintf("%s is as %s", d.file, d.other))
	}
	return all
}

func TestWhoComesAndGoes(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const grace = 5 * time.Second
	a := listed{"a.yaml", "a", "1"}
	b := listed{"b.yaml", "b", "1"}
	ran := seated{file: "a.yaml", name: "a", sum: "1"}
	with := func(s seated, change func(*seated)) seated { change(&s); return s }
	for _, c := range []struct {
		name  string
		files []listed
		seats []seated
		want  []string
		due   time.Duration // from now; 0 = not
	}{
		{"a new file begins", []listed{a, b}, []seated{ran}, []string{"keep a of a.yaml", "begin b of b.yaml"}, 0},
		{"a file that says something else is reloaded", []listed{{"a.yaml", "a", "2"}}, []seated{ran}, []string{"reload a of a.yaml"}, 0},
		{"a file that is broken is reloaded, which says so", []listed{{"a.yaml", "", "2"}}, []seated{ran}, []string{"reload a of a.yaml"}, 0},
		{"and not once more", []listed{{"a.yaml", "", "2"}}, []seated{with(ran, func(s *seated) { s.sum = "2" })}, []string{"keep a of a.yaml"}, 0},
		{"a broken file of nobody begins nothing", []listed{{"a.yaml", "", "2"}}, nil, nil, 0},
		{"one that ended goes on with another file", []listed{{"a.yaml", "a", "2"}}, []seated{with(ran, func(s *seated) { s.over = true })}, []string{"again a of a.yaml"}, 0},
		{"and stays ended with the same", []listed{a}, []seated{with(ran, func(s *seated) { s.over = true })}, []string{"keep a of a.yaml"}, 0},
		{"a file that goes has some time to come back", nil, []seated{ran}, []string{"gone a of a.yaml"}, grace},
		{"and that time goes on", nil, []seated{with(ran, func(s *seated) { s.gone = now.Add(-3 * time.Second) })}, []string{"gone a of a.yaml"}, 2 * time.Second},
		{"after which its pipeline leaves", nil, []seated{with(ran, func(s *seated) { s.gone = now.Add(-grace) })}, []string{"leave a of a.yaml"}, 0},
		{"if it came back nothing has happened", []listed{a}, []seated{with(ran, func(s *seated) { s.gone = now.Add(-grace) })}, []string{"keep a of a.yaml"}, 0},
		{"a file that has another name is moved", []listed{{"z.yaml", "a", "1"}}, []seated{ran}, []string{"keep a of z.yaml"}, 0},
		{"and reloaded if it says something else", []listed{{"z.yaml", "a", "2"}}, []seated{ran}, []string{"reload a of z.yaml"}, 0},
		{"two files change places", []listed{{"a.yaml", "b", "1"}, {"b.yaml", "a", "1"}}, []seated{ran, {file: "b.yaml", name: "b", sum: "1"}}, []string{"keep a of b.yaml", "keep b of a.yaml"}, 0},
		{"a name that is taken is refused", []listed{{"0.yaml", "a", "1"}, a}, []seated{ran}, []string{"keep a of a.yaml", "0.yaml is as a.yaml"}, 0},
		{"of two new ones with a name the first begins", []listed{{"0.yaml", "a", "1"}, a}, nil, []string{"begin a of 0.yaml", "a.yaml is as 0.yaml"}, 0},
		{"a file that names another pipeline ends the one before first", []listed{{"a.yaml", "c", "2"}}, []seated{ran}, []string{"leave a of a.yaml"}, 0},
		{"who follows waits until it has ended", []listed{{"a.yaml", "c", "2"}}, []seated{with(ran, func(s *seated) { s.leaving = true })}, nil, 0},
		{"one that leaves is not begun beside itself", []listed{{"z.yaml", "a", "1"}}, []seated{with(ran, func(s *seated) { s.leaving = true })}, nil, 0},
		{"and begins when it has left", []listed{{"z.yaml", "a", "1"}}, nil, []string{"begin a of z.yaml"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			todo, twice, due := roster(c.files, c.seats, now, grace)
			if got := verdicts(todo, twice); !slices.Equal(got, c.want) {
				t.Errorf("it is %s, want %s", strings.Join(got, ", "), strings.Join(c.want, ", "))
			}
			if want := now.Add(c.due); c.due == 0 && !due.IsZero() || c.due != 0 && !due.Equal(want) {
				t.Errorf("it is due at %v, want %v", due, c.due)
			}
		})
	}
}
