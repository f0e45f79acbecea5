package control_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

func TestAStoreIsTriedAndLeftAsItWas(t *testing.T) {
	dir := t.TempDir()
	at := storeAt(t, checkpointed(t, "storage: file://./kept"), dir)
	stores := control.NewStores(&config.Process{}, nil)
	trial, err := stores.Try(t.Context(), at, "p")
	if err != nil || trial.Folder != filepath.Join(dir, "kept") {
		t.Errorf("without a folder: %+v, %v", trial, err)
	}
	if _, err := os.Stat(trial.Folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
	s, err := stores.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Create(t.Context(), "p/epochs/00000000000000000001", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	stores = control.NewStores(&config.Process{}, nil) // which knows of no probe
	if trial, err := stores.Try(t.Context(), at, "p"); err != nil || trial != (control.StoreTrial{Kept: 1}) {
		t.Errorf("with a checkpoint: %+v, %v", trial, err)
	}
	for o, err := range s.List(t.Context(), "probe/") {
		t.Errorf("it has left %v, %v", o, err)
	}
}

func TestABucketIsTriedWithItsClock(t *testing.T) {
	server, stores := bucket(t, "")
	at := storeAt(t, checkpointed(t, "storage: s3://"+server.Bucket+"/x"), "")
	if trial, err := stores.Try(t.Context(), at, "p"); err != nil || trial != (control.StoreTrial{}) {
		t.Errorf("%+v, %v", trial, err)
	}

	to, err := url.Parse(server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	late := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			return nil
		},
	})
	defer late.Close()
	text := fmt.Sprintf("s3: {endpoint: %q, accessKey: {env: KEY}, secretKey: {env: SECRET}, requestTimeout: 1m}", late.URL)
	process, err := config.LoadProcess(config.Layers{Files: []config.File{{Name: "wasmill.yaml", Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	stores = control.NewStores(process, []string{"KEY=" + server.AccessKey, "SECRET=" + secretKey})
	if trial, err := stores.Try(t.Context(), at, "p"); err != nil || (trial.Ahead+time.Hour).Abs() > 10*time.Second {
		t.Errorf("with a clock that is late: %+v, %v", trial, err)
	}
}

func TestABucketThatIsNotToBeHadIsTold(t *testing.T) {
	server, stores := bucket(t, "")
	at := storeAt(t, checkpointed(t, "storage: s3://"+server.Bucket+"/x"), "")
	server.Break("PUT", "", 0, s3server.Fault{Status: http.StatusForbidden, Code: "AccessDenied"})
	if _, err := stores.Try(t.Context(), at, "p"); stream.CodeOf(err) != stream.StoreDenied {
		t.Errorf("what may not be written: %v", err)
	}
	server.Heal()
	server.Break("LIST", "", 0, s3server.Fault{Status: http.StatusForbidden, Code: "AccessDenied"})
	if _, err := stores.Try(t.Context(), at, "p"); stream.CodeOf(err) != stream.StoreDenied {
		t.Errorf("what may not be listed: %v", err)
	}
	server.Heal()
	if _, err := stores.Try(t.Context(), at, "p"); err != nil {
		t.Errorf("what is well: %v", err)
	}
}
