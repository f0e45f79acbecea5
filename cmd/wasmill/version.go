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

// release is the version of a release, which .ci/release tells the linker: never set by the
// program. Other builds are known by what Go records.
var release string

// versions reads what the linker recorded.
func versions() map[string]string {
	v := map[string]string{"wasmill": "unknown", "wazero": "unknown", "go": runtime.Version(), "abi": abi.ExportMarker}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v["wasmill"] = info.Main.Version; release != "" {
		v["wasmill"] = release
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/tetratelabs/wazero" {
			v["wazero"] = d.Version
		}
	}
	return v
}
