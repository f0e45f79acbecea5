package host

import (
	"slices"
	"time"
)

// goneFor is how long the file of a pipeline has to be gone, after the watcher has told
// so, until the pipeline ends.
const goneFor = 5 * time.Second

// listed is what a pipeline file says, as far as that decides who runs.
type listed struct {
	file string
	name string // of its pipeline; empty = nothing can be made of the file
	sum  string // of the content, or of what is wrong with the file
}

// seated is a pipeline that has a seat.
type seated struct {
	file, name string
	sum        string    // of the file when it was last looked at
	gone       time.Time // since when no file is of it; zero = one is
	leaving    bool      // it ends because its file is gone
	over       bool      // it has ended
}

// verdict is what to do about a pipeline. Only one of begin, again, reload and leave is said.
type verdict struct {
	name   string
	file   string    // that it is in
	begin  bool      // it has no seat
	again  bool      // it has ended, and its file is another one
	reload bool      // its file says something else, or nothing that can be used
	leave  bool      // no file is of it any more
	gone   time.Time // since when none is; zero = one is
}

// duplicate is a file whose pipeline is in another one.
type duplicate struct{ file, other string }

// roster compares files, ordered by path, with the pipelines that have a seat. A file that
// has gone while another one is of the same pipeline is a move. due is when to ask again;
// zero = when something is different.
func roster(files []listed, seats []seated, now time.Time, grace time.Duration) (todo []verdict, twice []duplicate, due time.Time) {
	owner := owners(files, seats)
	for _, s := range seats {
		if s.leaving {
			continue
		}
		v := verdict{name: s.name, file: s.file}
		at := slices.IndexFunc(files, func(f listed) bool { return f.file == s.file })
		switch f, ok := owner[s.name]; {
		case ok:
			v.file = f.file
			v.again = f.sum != s.sum && s.over
			v.reload = f.sum != s.sum && !s.over
		case at >= 0 && files[at].name != "": // it is another's now
			v.leave = true
		case at >= 0:
			v.reload = files[at].sum != s.sum
		default:
			if v.gone = s.gone; v.gone.IsZero() {
				v.gone = now
			}
			if end := v.gone.Add(grace); !now.Before(end) {
				v.leave = true
			} else if due.IsZero() || end.Before(due) {
				due = end
			}
		}
		todo = append(todo, v)
	}
	for _, f := range files {
		o := owner[f.name]
		switch {
		case f.name == "":
		case o.file != f.file:
			twice = append(twice, duplicate{f.file, o.file})
		case !slices.ContainsFunc(seats, func(s seated) bool { return s.name == f.name || s.file == f.file && s.leaving }) && !leaves(todo, f.file):
			todo = append(todo, verdict{name: f.name, file: f.file, begin: true})
		}
	}
	return todo, twice, due
}

// owners says which file is that of each pipeline: the one that it has, or the first.
func owners(files []listed, seats []seated) map[string]listed {
	owner := make(map[string]listed)
	for _, f := range files {
		if _, ok := owner[f.name]; f.name != "" && !ok {
			owner[f.name] = f
		}
	}
	for _, f := range files {
		if slices.ContainsFunc(seats, func(s seated) bool { return s.name == f.name && s.file == f.file && !s.leaving }) {
			owner[f.name] = f
		}
	}
	return owner
}

// leaves says whether a pipeline ends that had a file: who comes in its place waits for
// that, so that no two write what one did.
func leaves(todo []verdict, file string) bool {
	return slices.ContainsFunc(todo, func(v verdict) bool { return v.leave && v.file == file })
}
