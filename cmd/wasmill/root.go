package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/project"
	"github.com/wasmill/wasmill/host/stream"
)

// flags are those that every command has.
type flags struct {
	process []string
	plugins string
	set     []string
	json    bool
}

// defaultProcess is read if it is there and no other file is named.
const defaultProcess = project.ProcessFile

// options returns what the flags say to package host.
func (f *flags) options(files []string, s stdio) host.Options {
	o := host.Options{Files: files, Process: f.process, Env: os.Environ(), Set: f.set, Stdin: s.in, Stdout: s.out, Version: versions()["wasmill"]}
	if len(o.Process) == 0 {
		if name := os.Getenv("WASMILL_CONFIG"); name != "" {
			o.Process = []string{name}
		} else if _, err := os.Stat(defaultProcess); err == nil {
			o.Process = []string{defaultProcess}
		}
	}
	if f.plugins != "" {
		o.Set = append(o.Set, "plugins.dir="+f.plugins)
	}
	o.Compiler = compiler()
	return o
}

// compiler is the command that compiles a plugin; nil = there is none.
func compiler() []string {
	exe, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{exe, compileCommand}
}

func newRoot(s stdio) *cobra.Command {
	f := &flags{}
	root := &cobra.Command{
		Use:   "wasmill",
		Short: "Run stream processing pipelines whose functions are WebAssembly plugins",
		Long: `wasmill runs pipelines described in YAML. Their functions are WebAssembly
plugins: compile one in any language, drop the .wasm into the plugins folder,
name it in a pipeline and run it. wasmill quickstart shows that, wasmill new udf begins
a plugin of your own.`,
		Example: `  wasmill quickstart
  wasmill run pipeline.yaml
  wasmill run pipeline.yaml --set vertices.parse.concurrency=4
  wasmill create access-log -f pipeline.yaml --wait
  wasmill plugin check plugins/grep.wasm
  wasmill graph pipeline.yaml --format svg > pipeline.svg`,
		Args: func(c *cobra.Command, given []string) error {
			if len(given) == 0 {
				return nil
			}
			why := "there is no command " + given[0]
			if info, err := os.Stat(given[0]); err == nil && !info.IsDir() {
				return &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: why, Fix: "it is a file: wasmill run " + given[0] + " runs a pipeline"}
			}
			if near := meant(c, given[0]); len(near) > 0 {
				why += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usageError(c, why)
		},
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SuggestionsMinimumDistance = 2 // letters; with 0 only what begins alike is suggested
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	p := root.PersistentFlags()
	p.StringSliceVar(&f.process, "config", nil, "file with settings of the process (default: wasmill.yaml if it is there)")
	p.StringVar(&f.plugins, "plugins", "", "folder of plugins (default: plugins)")
	p.StringArrayVar(&f.set, "set", nil, "override a setting, as in vertices.parse.concurrency=4; may be repeated")
	p.BoolVar(&f.json, "json", false, "print results and errors as JSON")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError(c, err.Error())
	})
	for _, g := range []struct {
		title string
		of    []*cobra.Command
	}{
		{"Begin:", []*cobra.Command{newQuickstart(f, s), newInit(f, s), newNew(f, s), newBuild(f, s), newDev(f, s)}},
		{"Run pipelines:", []*cobra.Command{newRun(f, s), newTest(f, s), newCall(f, s), newBench(f, s)}},
		{"In the background:", []*cobra.Command{
			newCreate(f, s), newShutdown(f, s), newResume(f, s), newUpgrade(f, s), newDelete(f, s),
			newList(f, s), newLogs(f, s), newDiagnostics(f, s), newKeep(s), newWork(s),
		}},
		{"While they run:", []*cobra.Command{newStatus(f, s), newReady(f, s), newPhase(f, s), newReload(f, s), newTap(f, s), newTop(f, s)}},
		{"Files, plugins and checkpoints:", []*cobra.Command{
			newValidate(f, s), newPlan(f, s), newRevisions(f, s), newConfig(f, s), newGraph(f, s), newSchema(s), newPlugin(f, s), newCheckpoint(f, s),
		}},
		{"Help:", []*cobra.Command{newExplain(f, s), newDoctor(f, s), newVersion(f, s), newCompile(s)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, c := range g.of {
			c.GroupID = g.title
			root.AddCommand(c)
		}
	}
	root.SetHelpCommandGroupID("Help:")
	root.SetCompletionCommandGroupID("Help:")
	return root
}

// meant are the commands that a word may mean: the one that other programs call so, else those
// that are written nearly so.
func meant(c *cobra.Command, word string) []string {
	for name, others := range otherWords() {
		if slices.Contains(others, word) {
			return []string{name}
		}
	}
	return c.SuggestionsFor(word)
}

// otherWords are those that other programs have for commands, by ours.
func otherWords() map[string][]string {
	return map[string][]string{
		"build": {"compile", "make"}, "dev": {"watch", "serve"}, "run": {"start", "exec"}, "new": {"udf", "generate", "scaffold"}, "quickstart": {"demo", "tour"},
		"call": {"invoke"}, "shutdown": {"stop", "kill"}, "delete": {"remove", "rm"}, "status": {"ps"}, "list": {"ls"}, "validate": {"check", "lint"},
		"phase": {"pause"}, "resume": {"restart"}, "explain": {"error"},
	}
}

// usageError says what is wrong with a command line.
func usageError(c *cobra.Command, why string) error {
	return &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: why, Fix: c.CommandPath() + " --help shows how it is used"}
}

// args checks the number of arguments, most < 0 for any.
func args(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		switch {
		case len(given) < least:
			return usageError(c, "name "+what)
		case most >= 0 && len(given) > most:
			return usageError(c, "too many arguments: name "+what)
		}
		return nil
	}
}
