package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// way is a way in which a file of a folder gets its second content.
type way struct {
	name    string
	setup   func(t *testing.T, dir, path string) // makes path hold "one"; nil = a plain file
	do      func(t *testing.T, dir, path string)
	changes int // of content that are told
}

func plain(t *testing.T, _, path string) { write(t, path, "one") }

var ways = []way{
	{"in place", plain, func(t *testing.T, _, path string) { write(t, path, "two") }, 1},
	{"beside and renamed", plain, func(t *testing.T, _, path string) { rename(t, path, "two") }, 1},
	{"as vim does", plain, func(t *testing.T, dir, path string) {
		write(t, filepath.Join(dir, "4913"), "")
		must(t, os.Remove(filepath.Join(dir, "4913")))
		must(t, os.Rename(path, path+"~"))
		write(t, path, "two")
		must(t, os.Chmod(path, 0o644))
		must(t, os.Remove(path+"~"))
	}, 1},
	{"as emacs does", plain, func(t *testing.T, dir, path string) {
		lock := filepath.Join(dir, ".#"+filepath.Base(path))
		must(t, os.Symlink("somebody@somewhere.1234:5678", lock))
		write(t, filepath.Join(dir, "#"+filepath.Base(path)+"#"), "tw")
		write(t, path, "two")
		must(t, os.Remove(filepath.Join(dir, "#"+filepath.Base(path)+"#")))
		must(t, os.Remove(lock))
	}, 1},
	{"removed and created", plain, func(t *testing.T, _, path string) {
		must(t, os.Remove(path))
		write(t, path, "two")
	}, 1},
	{"in two parts", plain, func(t *testing.T, _, path string) {
		f, err := os.Create(path)
		must(t, err)
		_, err = f.WriteString("t")
		must(t, err)
		must(t, f.Sync())
		_, err = f.WriteString("wo")
		must(t, err)
		must(t, f.Close())
	}, 1},
	{"chmod only", plain, func(t *testing.T, _, path string) { must(t, os.Chmod(path, 0o640)) }, 0},
	{"touched only", plain, func(t *testing.T, _, path string) { must(t, os.Chtimes(path, time.Now(), time.Now())) }, 0},
	{"saved with the same content", plain, func(t *testing.T, _, path string) { rename(t, path, "one") }, 0},
	{"with the size and times of before", plain, func(t *testing.T, _, path string) {
		info, err := os.Stat(path)
		must(t, err)
		write(t, path, "two")
		must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	}, 1},
	{"a hundred times", plain, func(t *testing.T, _, path string) {
		for i := range 99 {
			if i%2 == 0 {
				write(t, path, fmt.Sprint(i))
			} else {
				rename(t, path, fmt.Sprint(i))
			}
		}
		write(t, path, "two")
	}, 1},
	{"ConfigMap", func(t *testing.T, dir, path string) {
		configMap(t, dir, filepath.Base(path), "..2026_1", "one")
		must(t, os.Symlink(filepath.Join("..data", filepath.Base(path)), path))
	}, func(t *testing.T, dir, path string) {
		configMap(t, dir, filepath.Base(path), "..2026_2", "two")
		must(t, os.RemoveAll(filepath.Join(dir, "..2026_1")))
	}, 1},
	{"behind a link to another folder", func(t *testing.T, dir, path string) {
		must(t, os.Mkdir(filepath.Join(dir, "elsewhere"), 0o700))
		write(t, filepath.Join(dir, "elsewhere", "real"), "one")
		must(t, os.Symlink(filepath.Join(dir, "elsewhere", "real"), path))
	}, func(t *testing.T, dir, path string) {
		rename(t, filepath.Join(dir, "elsewhere", "real"), "two")
	}, 1},
	{"by another link", func(t *testing.T, dir, path string) {
		write(t, filepath.Join(dir, "real1"), "one")
		write(t, filepath.Join(dir, "real2"), "two")
		must(t, os.Symlink("real1", path))
	}, func(t *testing.T, dir, path string) {
		must(t, os.Symlink("real2", path+".tmp"))
		must(t, os.Rename(path+".tmp", path))
	}, 1},
}

// configMap publishes a content as Kubernetes does: a folder of its own, and then a link
// to it put in place at once.
func configMap(t *testing.T, dir, base, version, content string) {
	must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
	write(t, filepath.Join(dir, version, base), content)
	must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
}

// settleLong keeps a busy machine from coming to rest in the middle of a save, also one whose
// disk is slow.
const settleLong = 600 * time.Millisecond

// heardOnly are options under which events alone can tell of a change.
func heardOnly(targets ...Target) Options {
	return Options{Targets: targets, Settle: settleLong, Grace: 3 * settleLong, Cap: time.Hour, Poll: time.Hour}
}

// kinds are the ways in which a file is watched, and others of its folder with it.
var kinds = map[string]func(dir, path string) []Target{
	"file": func(dir, path string) []Target {
		return []Target{{Path: path}, {Path: dir, Pattern: "*.yaml"}}
	},
	"file in a folder": func(dir, _ string) []Target {
		return []Target{{Path: dir, Pattern: "*.yaml"}}
	},
	"large file": func(dir, path string) []Target {
		return []Target{{Path: path, Large: true}, {Path: dir, Pattern: "*.yaml"}}
	},
	"large file in a folder": func(dir, _ string) []Target {
		return []Target{{Path: dir, Pattern: "w*.yaml", Large: true}, {Path: dir, Pattern: "*.yaml"}}
	},
}

func TestEveryWayOfWritingIsOneChange(t *testing.T) {
	for kind, targets := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var o []Target
			dirs, paths := make([]string, len(ways)), make([]string, len(ways))
			for i, way := range ways {
				dirs[i] = t.TempDir()
				paths[i] = filepath.Join(dirs[i], "watched.yaml")
				way.setup(t, dirs[i], paths[i])
				o = append(o, targets(dirs[i], paths[i])...)
			}
			s := start(t, New(heardOnly(o...)))
			for i := range ways {
				s.until(paths[i], Present, "one")
			}
			s.all = nil
			for i, way := range ways {
				way.do(t, dirs[i], paths[i])
			}
			for i, way := range ways {
				if way.changes > 0 {
					s.until(paths[i], Present, "two")
				}
			}
			s.flush(dirs...)
			for i, way := range ways {
				if got := s.of(paths[i]); len(got) != way.changes {
					t.Errorf("%s: told %d times: %v", way.name, len(got), got)
				}
				if wrong := slices.DeleteFunc(s.of(paths[i]), Change.Content); len(wrong) > 0 {
					t.Errorf("%s: told of what is no content: %v", way.name, wrong)
				}
			}
			for i := range ways {
				rename(t, paths[i], "three")
			}
			for i := range ways {
				s.until(paths[i], Present, "three") // it is alive
			}
		})
	}
}

func TestAFileThatIsGoneForLong(t *testing.T) {
	for kind, targets := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			contents := []string{"one", "two"}
			dirs, paths := make([]string, len(contents)), make([]string, len(contents))
			var o []Target
			for i := range contents {
				dirs[i] = t.TempDir()
				paths[i] = filepath.Join(dirs[i], "watched.yaml")
				write(t, paths[i], "one")
				o = append(o, targets(dirs[i], paths[i])...)
			}
			s := start(t, New(heardOnly(o...)))
			for _, path := range paths {
				s.until(path, Present, "one")
			}
			s.all = nil
			for _, path := range paths {
				must(t, os.Remove(path))
			}
			for _, path := range paths {
				s.until(path, Missing, "")
			}
			for i, content := range contents {
				write(t, paths[i], content)
			}
			for i, content := range contents {
				s.until(paths[i], Present, content)
			}
			s.flush(dirs...)
			for i, content := range contents {
				got := s.of(paths[i])
				if len(got) != 2 || got[0].Is.State != Missing || got[0].Is.Hash != hashOf("one") || got[1].Is.State != Present {
					t.Fatalf("back with %s: told %v", content, got)
				}
				if got[1].Content() != (content == "two") {
					t.Errorf("a content that is as before is new, or the other way round: %v", got[1])
				}
			}
		})
	}
}
