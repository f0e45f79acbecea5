package examples_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// elsewhere are the first words of all lines in documents that no test runs, as they want
// another machine: a release, an own root, systemd or Docker. Their syntax is checked.
var elsewhere = map[string][]string{
	"README.md":                    {"sha256sum --check", "tar xzf", "sudo apt"},
	"examples/container/README.md": {"docker build", "docker run"},
	"examples/systemd/README.md":   {"sudo install", "sudo mkdir", "printf '%s\\n'", "sudo cp", "sudo systemctl", "systemctl status"},
}

// printed is what the blocks of a document print, besides what they write.
var printed = map[string][]string{
	"examples/dead-letter/README.md":  {"record 2 of source bids (", "record 4 of source bids (", "record 5 of source bids ("},
	"examples/exactly-once/README.md": {"200000\n", " complete "},
	"examples/live/README.md":         {"  20000 orders\n", `"class":"vertex"`, `"class":"graph"`, "a change is refused", "canary: "},
}

// TestTheReadmesOfExamplesWork runs every block of kind sh in every document but README.md
// and the guides, which TestTheReadmeWorks has: each in a shell of its own, in a copy of the
// repository in which make has run once. It looks at what they print and write, and that no
// process is left.
func TestTheReadmesOfExamplesWork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the project")
	}
	t.Parallel()
	dir := checkout(t)
	shell(t, dir, nil, "make build plugins\n")
	blocks, promises, samples := 0, 0, 0
	t.Run("examples", func(t *testing.T) {
		for _, file := range glob(t, "..", "examples/*/README.md") {
			d := readDocument(t, strings.TrimPrefix(filepath.ToSlash(file), "../"))
			blocks, promises, samples = blocks+len(d.commands), promises+len(d.promises), samples+len(d.samples)
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
				t.Parallel()
				var out strings.Builder
				env := []string{"WASMILL_DATA_DIR=" + t.TempDir()} // others run at the same time
				for _, block := range d.commands {
					out.WriteString(shell(t, dir, env, made(t, block)))
				}
				for _, want := range printed[d.name] {
					if !strings.Contains(out.String(), want) {
						t.Errorf("it does not print %q:\n%s", want, out.String())
					}
				}
				d.keeps(t, filepath.Join(dir, filepath.Dir(d.name), "out"))
			})
		}
	})
	if blocks < 18 || promises < 15 || samples < 9 {
		t.Errorf("found %d blocks, %d promises, %d samples", blocks, promises, samples)
	}
	t.Run("plugins", func(t *testing.T) { // last, as it builds other ones
		home, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		env := []string{"PATH=" + filepath.Join(home, "wasmill-toolchains/bin") + ":/usr/bin:" + os.Getenv("PATH")} // as in the Makefile
		for _, tool := range []string{"clang", "rustc", "zig", "asc"} {
			if got := shell(t, dir, env, "command -v "+tool+" || true\n"); got == "" && os.Getenv("REQUIRE_GUESTS") == "" {
				t.Skipf("there is no %s", tool)
			}
		}
		plugins := filepath.Join(dir, "plugins")
		d := readDocument(t, "plugins/README.md")
		if len(d.commands) != 1 {
			t.Fatalf("found %d blocks", len(d.commands))
		}
		for _, plugin := range glob(t, plugins, "*.wasm") {
			if err := os.Remove(plugin); err != nil {
				t.Fatal(err)
			}
		}
		shell(t, plugins, env, d.commands[0])
		for _, name := range []string{"parse-log", "identity", "grep", "mask-pii", "json-select"} {
			shell(t, dir, nil, "bin/wasmill plugin inspect "+name+"\n")
		}
	})
}

// TestWhatIsNotRunIsKnown finds all documents, and compares the commands in them that want
// another machine with the list above.
func TestWhatIsNotRunIsKnown(t *testing.T) {
	var documents []string
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && (e.Name() == ".git" || e.Name() == "dist") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			documents = append(documents, filepath.ToSlash(path[len("../"):]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range documents {
		d := readDocument(t, name)
		run := name == "README.md" || name == "plugins/README.md" || slices.Contains(guides(), name)
		if ok, _ := filepath.Match("examples/*/README.md", name); !ok && !run && len(d.commands) > 0 {
			t.Errorf("nothing runs the blocks of %s", name)
		}
		var lines []string
		for _, block := range d.foreign {
			sh := exec.CommandContext(t.Context(), "sh", "-n")
			sh.Stdin = strings.NewReader(block)
			if out, err := sh.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", name, err, out)
			}
			for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", "")) {
				words := strings.Fields(line)
				lines = append(lines, strings.Join(words[:min(2, len(words))], " "))
			}
		}
		if !slices.Equal(lines, elsewhere[name]) {
			t.Errorf("%s has lines that are not run: %q, of which %q are known", name, lines, elsewhere[name])
		}
		t.Logf("%s: %d blocks are run, %d lines are not", name, len(d.commands), len(lines))
	}
	for name := range elsewhere {
		if !slices.Contains(documents, name) {
			t.Errorf("there is no %s", name)
		}
	}
}

// made takes the lines of a block away that build what is built already.
func made(t *testing.T, block string) string {
	t.Helper()
	var rest strings.Builder
	for line := range strings.Lines(block) {
		command, _, _ := strings.Cut(line, "#")
		words := strings.Fields(command)
		if len(words) == 0 || words[0] != "make" {
			rest.WriteString(line)
			continue
		}
		for _, target := range words[1:] {
			if target != "build" && target != "plugins" && !strings.HasPrefix(target, "plugins/") {
				t.Errorf("make %s is not what has run", target)
			}
		}
	}
	return rest.String()
}

// shell runs commands in a folder and returns what they print. They may not leave a process
// behind.
func shell(t *testing.T, dir string, env []string, commands string) string {
	t.Helper()
	sh := exec.CommandContext(t.Context(), "sh", "-eu")
	sh.Dir, sh.Stdin, sh.Env = dir, strings.NewReader(commands), slices.Concat(os.Environ(), sameEverywhere, env)
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	sh.WaitDelay = 10 * time.Second // if a process is left, which holds the pipe
	out, err := sh.CombinedOutput()
	if left := syscall.Kill(-sh.Process.Pid, syscall.SIGKILL); !errors.Is(left, syscall.ESRCH) {
		t.Errorf("a process is left by\n%s", commands)
	}
	if err != nil {
		t.Fatalf("%s%v:\n%s", commands, err, out)
	}
	return string(out)
}
