package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
	"github.com/wasmill/wasmill/host/wasm/trust"
	"github.com/wasmill/wasmill/host/whole"
)

func newPluginKeygen(f *flags, s stdio) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "keygen --out FILE",
		Short: "Make a key to sign plugins with",
		Long: `keygen makes an Ed25519 key: FILE has the private one, for its owner alone, and
FILE.pub the public one, which it also prints: that is for the setting
plugins.trust of the processes that are to load what is signed with it.`,
		Example: `  wasmill plugin keygen --out release.key
  wasmill plugin sign grep --key release.key
  wasmill run pipeline.yaml --set 'plugins.trust=[{file: release.key.pub}]'`,
		Args: args(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usageError(c, "--out says where the key is to be written")
			}
			for _, name := range []string{out, out + ".pub"} {
				if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
					return &stream.Error{Code: stream.Usage, Where: name, Why: "is there already", Fix: "name another file with --out"}
				}
			}
			key := trust.NewPrivate()
			public := key.Public().String()
			if err := errors.Join(writeWhole(out, key.Text()+"\n", 0o600), writeWhole(out+".pub", public+"\n", 0o644)); err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"file": out, "public_file": out + ".pub", "public": public})
			} else {
				fmt.Fprintln(s.out, public)
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "the file of the private key; the public one has .pub behind it")
	return c
}

func newPluginSign(f *flags, s stdio) *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use:   "sign PLUGIN --key FILE",
		Short: "Sign a plugin",
		Long: `sign writes the signature of a plugin beside it, into PLUGIN.wasm.sig. It is of the
file's content, not of its name.`,
		Example: `  wasmill plugin sign grep --key release.key`,
		Args:    args(1, 1, "a plugin, by file or by name"),
		RunE: func(c *cobra.Command, a []string) error {
			if keyFile == "" {
				return usageError(c, "--key names the file that wasmill plugin keygen has made")
			}
			settings, err := host.Settings(f.options(nil, s))
			if err != nil {
				return err
			}
			path, err := pluginFile(settings, a[0])
			if err != nil {
				return err
			}
			key, err := trust.ReadPrivate(keyFile)
			if err != nil {
				return &stream.Error{Code: stream.PluginSignature, Where: keyFile, Why: "there is no key to sign with", Err: err, Fix: "name the file that wasmill plugin keygen has made, without .pub"}
			}
			hash, _, err := wasm.HashOf(path)
			if err != nil {
				return err
			}
			sum, err := hex.DecodeString(hash)
			if err != nil {
				return err
			}
			name := path + trust.SignatureExt
			if err := writeWhole(name, trust.Sign(key, [sha256.Size]byte(sum)).String()+"\n", 0o644); err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"file": name, "sha256": hash, "public": key.Public().String()})
			} else {
				fmt.Fprintln(s.out, safe(name), "signs", hash)
			}
			return nil
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "the file of the private key")
	return c
}

func newPluginVerify(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "verify PLUGIN",
		Short: "Say whether plugins.lock and plugins.trust let a plugin in",
		Long: `verify looks at the signature of a plugin and at plugins.lock, as they are set, and
loads nothing. It ends with exit code 2 if the plugin would be refused.`,
		Args: args(1, 1, "a plugin, by file or by name"),
		RunE: func(_ *cobra.Command, a []string) error {
			settings, err := host.Settings(f.options(nil, s))
			if err != nil {
				return err
			}
			admission, err := host.Admission(settings)
			if err != nil {
				return err
			}
			path, err := pluginFile(settings, a[0])
			if err != nil {
				return err
			}
			if admission.Lock == "" && len(admission.Keys) == 0 {
				return &stream.Error{
					Code: stream.Usage, Where: path, Why: "there is nothing to verify it by: every plugin is let in",
					Fix: "set plugins.trust, plugins.lock or both",
				}
			}
			hash, _, err := wasm.HashOf(path)
			if err != nil {
				return err
			}
			if err := admission.Check(path, hash); err != nil {
				return err
			}
			result := map[string]any{"file": path, "sha256": hash, "ok": true}
			if len(admission.Keys) > 0 {
				by, err := admission.Signer(path, hash)
				if err != nil {
					return err
				}
				result["signed_by"] = by.String()
			}
			if admission.Lock != "" {
				result["lock"] = admission.Lock
			}
			if f.json {
				printJSON(s.out, result)
				return nil
			}
			fmt.Fprintln(s.out, safe(path), "is let in:", hash)
			if by, ok := result["signed_by"]; ok {
				fmt.Fprintln(s.out, "  signed by", by)
			}
			if admission.Lock != "" {
				fmt.Fprintln(s.out, "  locked in", safe(admission.Lock))
			}
			return nil
		},
	}
}

// writeWhole writes a file so that nobody sees half of it.
func writeWhole(name, text string, perm fs.FileMode) error {
	if err := whole.Replace(name, []byte(text), perm); err != nil {
		return &stream.Error{Code: stream.Environment, Where: name, Why: "cannot be written", Err: err, Fix: "check the folder and who may write there"}
	}
	return nil
}
