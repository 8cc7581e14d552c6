package runtime

import (
	"errors"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// viewSource feeds a link's writer from the view of its session.
type viewSource struct{ c *connection }

// Fill moves the next frames of the view into the batch. A reader that is too far behind is told so and cut (§6.5).
func (v viewSource) Fill(b *link.Batch) (more bool, err error) {
	buf, ends, maxBytes, maxFrames := b.Lend()
	buf, ends, more, err = v.c.reader.AppendFrames(buf, ends, maxBytes, maxFrames)
	b.Return(buf, ends)
	if errors.Is(err, journal.ErrOverrun) {
		v.c.rt.count.cut.Add(1)
		v.c.rt.opts.Logger.Warn("slow reader cut", "session", v.c.sessionID())
		_ = v.c.send(sessionError(arcp.NewError(arcp.CodeBackpressure, "events came faster than the session read them"), "", ""))
	}
	if errors.Is(err, journal.ErrLost) {
		v.c.moved(v.c.session.Load())
	}
	return more, err
}
