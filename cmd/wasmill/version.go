package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/abi"
)

func newVersion(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of wasmill and of what it is built with",
		Args:  args(0, 0, "nothing"),
		RunE: func(*cobra.Command, []string) error {
			v := versions()
			if f.json {
				printJSON(s.out, v)
				return nil
			}
			_, err := fmt.Fprintf(s.out, "wasmill %s (%s, %s/%s, wazero %s, %s)\n",
				v["wasmill"], v["go"], runtime.GOOS, runtime.GOARCH, v["wazero"], v["abi"])
			return err
		},
	}
}

// version is that of a release which is built where no version control tells it: the linker
// sets it, by go build -ldflags "-X main.version=v1.2.3". Empty = what the go command recorded.
var version string

// versions reads what the linker recorded.
func versions() map[string]string {
	v := recorded()
	if version != "" {
		v["wasmill"] = version
	}
	return v
}

func recorded() map[string]string {
	v := map[string]string{"wasmill": "unknown", "wazero": "unknown", "go": runtime.Version(), "abi": abi.ExportMarker}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v["wasmill"] = info.Main.Version
	for _, d := range info.Deps {
		if d.Path == "github.com/tetratelabs/wazero" {
			v["wazero"] = d.Version
		}
	}
	return v
}
