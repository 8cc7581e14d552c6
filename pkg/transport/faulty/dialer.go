package faulty

import (
	"context"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/transport"
)

type dialer struct {
	d     transport.Dialer
	plan  func(dial int) Plan
	dials atomic.Int64
}

func (d *dialer) Dial(ctx context.Context) (transport.Conn, error) {
	c, err := d.d.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return New(c, d.plan(int(d.dials.Add(1)))), nil
}
