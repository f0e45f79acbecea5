package host

import (
	"context"

	"github.com/wasmill/wasmill/host/control"
)

// PipelineFiles lists the pipeline files in a folder, which has to be there. None is no error.
func PipelineFiles(dir string) ([]string, error) { return pipelineFiles(dir, true) }

// TryStore tries the store of a pipeline's checkpoints as Run does; false = it has none. It
// may be called before Run.
func (h *Host) TryStore(ctx context.Context, p *Pipeline) (t control.StoreTrial, ok bool, err error) {
	at, ok := control.StoreOf(p.Config, h.options.base(p.File))
	if ok {
		t, err = h.stores.Try(ctx, at, p.Name)
	}
	return t, ok, err
}
