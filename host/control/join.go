package control

import (
	"fmt"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/state/join"
)

// join makes the join of a vertex. Records are of the right side if they come by an
// edge from the right vertex.
func (b *build) join(i int) (*join.Transform, error) {
	c := &b.config.Vertices[i]
	key, err := b.key(i)
	if err != nil {
		return nil, err
	}
	j := join.Config{
		Vertex: c.Name, Spec: windows(c.Window), Within: c.Join.Within, Outer: c.Join.Kind == config.JoinLeft,
		Groups: c.State.Groups, MaxBytes: int64(c.State.MaxBytes), Key: key, Late: b.tags.Tag([]byte(config.TagLate)),
	}
	for _, e := range b.config.Edges {
		if e.To == c.Name {
			j.Right = append(j.Right, e.From == c.Join.Right)
		}
	}
	t, err := join.New(j)
	if err != nil {
		return nil, b.located(fmt.Sprintf("vertices[%d].window", i), err)
	}
	return t, nil
}
