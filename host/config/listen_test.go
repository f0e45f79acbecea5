package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
)

func TestOnlyLoopbackAddressesAreAccepted(t *testing.T) {
	addresses := map[string][]string{
		"auto": {"127.0.0.1:7676", "127.0.0.1:0"}, "off": nil,
		"127.0.0.1:7676": {"127.0.0.1:7676"}, "127.9.9.9:0": {"127.9.9.9:0"}, "[::1]:1": {"[::1]:1"},
		"unix:data/admin.sock": {"unix:data/admin.sock"}, "unix:/" + strings.Repeat("x", 83): {"unix:/" + strings.Repeat("x", 83)},
		"localhost:65535": {"localhost:65535"}, "[::ffff:127.0.0.1]:1": {"[::ffff:127.0.0.1]:1"},
	}
	for text, want := range addresses {
		p := process(t, listenOn(text))
		equal(t, text, p.Admin.Listen.Addresses(), want)
	}
	equal(t, "off without quotes", process(t, config.Layers{Files: files("admin: {listen: off}\n")}).Admin.Listen.Addresses(), []string(nil))
	for _, text := range []string{
		"", "on", "7676", ":7676", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:http", "::1:7676",
		"0.0.0.0:7676", "[::]:7676", "192.168.0.1:7676", "169.254.169.254:80", "[::ffff:10.0.0.1]:1", "example.org:80", "localhost.example.org:80", "2130706433:80",
		"unix:", "unix", "unix:/" + strings.Repeat("x", 84), "UNIX:/a", "unix:a\x00b",
	} {
		if _, err := config.LoadProcess(listenOn(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestTheTokenIsWithTheData(t *testing.T) {
	equal(t, "token file", process(t, config.Layers{Set: []string{"data.dir=/d"}}).Admin.Token.File, filepath.FromSlash("/d/admin.token"))
	equal(t, "token file", process(t, config.Layers{Env: []string{"WASMILL_ADMIN_TOKEN_FILE=/t"}}).Admin.Token.File, "/t")
}

func listenOn(address string) config.Layers {
	return config.Layers{Files: files(fmt.Sprintf("admin: {listen: %q}\n", address))}
}
