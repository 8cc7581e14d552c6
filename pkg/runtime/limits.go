package runtime

import (
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// Limit is what Limits.Table tells of one field, so that flags, forms and pages need not list them by hand.
type Limit struct {
	Name     string // in the spec, and in the details of an error that says it was reached
	Flag     string // how `arcp serve` calls it
	Group    string // what it bounds: "Of one principal"
	Unit     string // "seconds", "bytes" or "count"
	Doc      string // a sentence without its full stop
	Negative string // what a negative value means; empty when it means the default
	Default  int64  // in Unit

	// Duration is the field of a limit in seconds, Number of any other. The one that is not is nil.
	Duration *time.Duration
	Number   *int64
}

const (
	minChunk = 4         // the smallest result chunk: it holds any rune
	minLog   = 512 << 10 // what is kept of a log at least: it is dropped in blocks of 64 KiB
)

// resolve sets every default.
func (l *Limits) resolve() {
	for _, row := range l.Table() {
		row.resolve()
	}
	if l.HeartbeatInterval > 0 {
		l.HeartbeatInterval = max(time.Second, l.HeartbeatInterval.Truncate(time.Second)) // the welcome says it in seconds
	}
	l.ChunkBytes, l.LogBytes = max(l.ChunkBytes, minChunk), max(l.LogBytes, minLog)
}

func (r *Limit) resolve() {
	unset := func(v int64) bool { return v == 0 || v < 0 && r.Negative == "" }
	switch {
	case r.Duration != nil && unset(int64(*r.Duration)):
		*r.Duration = seconds(uint64(r.Default))
	case r.Number != nil && unset(*r.Number):
		*r.Number = r.Default
	}
}

func (l *Limits) journal() journal.Limits {
	return journal.Limits{
		FrameBytes:     arcp.LimitFrameOut,
		StagedBytes:    arcp.LimitStagedBytes,
		EmittedBytes:   max(l.JobBytes, 0),
		LogBytes:       int(l.LogBytes),
		UnwrittenBytes: int(l.UnwrittenBytes),
		ViewBytes:      int(l.RetainedBytes),
		LagEvents:      int(l.AckLagEvents),
	}
}
