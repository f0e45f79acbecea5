package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host"
)

// dockerfile returns the instructions of examples/container/Dockerfile, stage by stage: in
// each, words behind FROM, COPY and so on, in their order.
func dockerfile(t *testing.T) (stages []map[string][]string) {
	t.Helper()
	data, err := os.ReadFile("../../examples/container/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" || word[0] == '#' {
			continue
		}
		if word == "FROM" {
			stages = append(stages, make(map[string][]string))
		}
		last := stages[len(stages)-1]
		last[word] = append(last[word], rest)
	}
	if len(stages) != 2 {
		t.Fatalf("%d stages", len(stages))
	}
	return stages
}

// only is an instruction that a stage has once.
func only(t *testing.T, stage map[string][]string, word string) string {
	t.Helper()
	if len(stage[word]) != 1 {
		t.Fatalf("%s: %q", word, stage[word])
	}
	return stage[word][0]
}

// command finds the command of this program that a container runs by an instruction in
// JSON, behind other words.
func command(t *testing.T, program, words string) string {
	t.Helper()
	var all []string
	if err := json.Unmarshal([]byte(words), &all); err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	if program != "" {
		all = append([]string{program}, all...)
	}
	if all[0] != "/usr/bin/wasmill" {
		t.Errorf("%s runs %s", words, all[0])
	}
	c, rest, err := newRoot(stdio{}).Find(all[1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Error(err)
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Error(err)
	}
	return c.Name()
}

// TestTheImageFitsTheProgram holds the Dockerfile against what it makes an image of, as no
// container engine is needed for.
func TestTheImageFitsTheProgram(t *testing.T) {
	image := dockerfile(t)[1]
	if from := only(t, image, "FROM"); !regexp.MustCompile(`^gcr\.io/distroless/static-debian\d+:nonroot$`).MatchString(from) {
		t.Errorf("it is made from %s", from)
	}
	user := only(t, image, "USER")
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) { // Kubernetes knows no names: runAsNonRoot
		t.Errorf("its user is %s", user)
	}
	settings, err := host.Settings(host.Options{Env: strings.Fields(only(t, image, "ENV"))})
	if err != nil {
		t.Fatal(err)
	}
	data := only(t, image, "VOLUME")
	if settings.Data.Dir != data || !strings.HasPrefix(settings.Cache.Dir, data+"/") || only(t, image, "WORKDIR") != data {
		t.Errorf("it writes to %s and %s, and not to the volume %s alone", settings.Data.Dir, settings.Cache.Dir, data)
	}
	if settings.Pipelines.Dir != "/pipelines" || settings.Plugins.Dir != "/plugins" {
		t.Errorf("pipelines are in %s, plugins in %s, and the README has it otherwise", settings.Pipelines.Dir, settings.Plugins.Dir)
	}
	want := []string{"--from=build /out/wasmill /usr/bin/wasmill", "--from=build --chown=" + user + " /out/data " + data}
	if !slices.Equal(image["COPY"], want) {
		t.Errorf("copied is %q, want %q", image["COPY"], want)
	}
	if only(t, image, "STOPSIGNAL") != "SIGTERM" {
		t.Error("it is not stopped by what drains it")
	}
	var entry []string
	if err := json.Unmarshal([]byte(only(t, image, "ENTRYPOINT")), &entry); err != nil || len(entry) != 1 {
		t.Fatal(entry, err)
	}
	if c := command(t, entry[0], only(t, image, "CMD")); c != "run" {
		t.Errorf("it does %s", c)
	}
	_, health, ok := strings.Cut(only(t, image, "HEALTHCHECK"), " CMD ")
	if c := command(t, "", health); !ok || c != "ready" {
		t.Errorf("its health is that %s succeeds", c)
	}
}

// TestTheImageIsBuiltAsAReleaseIs looks at the stage that builds: it has all sources, a Go
// that is new enough, and the flags of .ci/release.
func TestTheImageIsBuiltAsAReleaseIs(t *testing.T) {
	build := dockerfile(t)[0]
	version := regexp.MustCompile(`golang:(\d+\.\d+) AS build$`).FindStringSubmatch(only(t, build, "FROM"))
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if version == nil || !strings.Contains(string(mod), "\ngo "+version[1]) {
		t.Errorf("%s is not the Go of go.mod", only(t, build, "FROM"))
	}
	release, err := os.ReadFile("../../.ci/release")
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`go build (-buildvcs.*main\.version=\$VERSION") -o`)
	ours, theirs := flags.FindStringSubmatch(strings.Join(build["RUN"], "\n")), flags.FindSubmatch(release)
	if ours == nil || theirs == nil || ours[1] != string(theirs[1]) {
		t.Errorf("its flags are %q, those of a release %q", ours, theirs)
	}
	if run := build["RUN"][len(build["RUN"])-1]; !strings.HasPrefix(run, "CGO_ENABLED=0 ") || !strings.HasSuffix(run, " -o /out/wasmill ./cmd/wasmill && mkdir /out/data") {
		t.Errorf("it runs %s", run)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", ".")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.FieldsSeq(string(out)) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(line, "github.com/wasmill/wasmill/"), "/")
		if !slices.Contains(build["COPY"], folder+" "+folder) {
			t.Errorf("%s is not copied: %s", path.Base(line), line)
		}
	}
	if build["COPY"][0] != "go.mod go.sum ./" {
		t.Errorf("what is copied first is %s", build["COPY"][0])
	}
}
