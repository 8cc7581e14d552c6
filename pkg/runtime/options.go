package runtime

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Options configures a Runtime. It is copied; its zero fields mean the defaults of spec/limits.yaml.
type Options struct {
	// Name and Version are what the welcome says of this runtime.
	Name, Version string

	// Verifier authenticates clients. One of it, AllowAnyone and TrustTransport must be set.
	Verifier Verifier
	// TrustTransport takes the principal that a connection's transport names, as a parent process does over stdio, without
	// asking the Verifier.
	TrustTransport bool
	// AllowAnyone lets every client on the same machine in, whatever its token. Connections from elsewhere are refused.
	AllowAnyone bool

	// Observe says whether a principal may follow a job of another one; nil is never (§7.6). It must not block.
	Observe func(observer, owner, agent string) bool

	// Store keeps jobs and sessions; nil is a new memory engine, which survives nothing.
	Store store.Store
	// Shared says that other runtimes use the Store, too: sessions are resumed and jobs followed and cancelled across, and what a
	// dead one leaves is taken over. A runtime that the store counts as dead stops.
	Shared bool
	// OrphanScan is how often a shared runtime looks for what dead ones left; 0 is every five seconds.
	OrphanScan time.Duration
	// Logger gets what operators need to know, what agents fail with above all, for their clients are not told it. Nil is warnings
	// and errors to slog.Default, as it is when New is called; slog.New(slog.DiscardHandler) is silence.
	Logger *slog.Logger

	HandshakeTimeout  time.Duration // from the connection to the hello; negative is the default, too
	HeartbeatInterval time.Duration // silence after which a ping is sent; whole seconds; negative turns heartbeats off
	CancelGrace       time.Duration // how long an agent may take to obey a cancel
	ResumeWindow      time.Duration // how long a session outlives its link; negative: not at all
	JobRetention      time.Duration // how long a finished job is remembered
	IdempotencyTime   time.Duration // how long an idempotency key is

	FrameBytes     int // the largest frame read, as the welcome tells; the transport is what keeps it
	ChunkBytes     int // the largest result chunk, decoded
	ResultBytes    int // the largest result, in bytes
	UnwrittenBytes int // waiting for a reader; past it the reader is cut
	RetainedBytes  int // written and not acknowledged, kept for the resume of one session
	LogBytes       int // kept of one job's log
	LagEvents      int // how far an acknowledging client may lag before it is told of back pressure
	MaxSessions    int // sessions, those without a link too
	MaxJobs        int // unfinished jobs of one session
	MaxSubscribed  int // subscriptions of one session
	MaxFinished    int // finished jobs remembered
	FinishedBytes  int // of their logs, all together
}

const (
	minChunk = 4         // the smallest result chunk: it holds any rune
	minLog   = 512 << 10 // what is kept of a log at least: it is dropped in blocks of 64 KiB

	defaultOrphanScan = 5 * time.Second // how long a dead node's jobs and sessions wait at most
)

// resolved returns a copy with every default set.
func resolved(from *Options) (Options, error) {
	var o Options
	if from != nil {
		o = *from
	}
	if o.Verifier != nil && o.AllowAnyone {
		return o, errors.New("runtime: Options.AllowAnyone with a Verifier: choose one")
	}
	if o.Verifier == nil && !o.AllowAnyone && !o.TrustTransport {
		return o, errors.New("runtime: nobody could be let in: set Options.Verifier, AllowAnyone or TrustTransport")
	}
	if o.Store == nil {
		o.Store = store.NewMemory()
	}
	if o.Logger == nil {
		o.Logger = slog.New(warnings{slog.Default().Handler()})
	}
	if o.OrphanScan <= 0 {
		o.OrphanScan = defaultOrphanScan
	}
	setString(&o.Name, "arcpkit")
	setString(&o.Version, "0.0.0")
	o.resolveLimits()
	return o, nil
}

// warnings keeps to itself what is below a warning: who asked for no log is not told of every session.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

func (o *Options) resolveLimits() {
	d := arcp.DefaultLimits()
	o.HandshakeTimeout = max(o.HandshakeTimeout, 0)
	setDuration(&o.HandshakeTimeout, seconds(uint64(d.HandshakeSec)))
	setDuration(&o.HeartbeatInterval, seconds(uint64(d.HeartbeatIntervalSec)))
	if o.HeartbeatInterval > 0 {
		o.HeartbeatInterval = max(time.Second, o.HeartbeatInterval.Truncate(time.Second)) // the welcome says it in seconds
	}
	setDuration(&o.CancelGrace, seconds(uint64(d.CancelGraceSec)))
	setDuration(&o.ResumeWindow, seconds(uint64(d.ResumeWindowSec)))
	setDuration(&o.IdempotencyTime, seconds(uint64(d.IdempotencySec)))
	setDuration(&o.JobRetention, seconds(uint64(d.JobRetentionSec)))
	setInt(&o.FrameBytes, int(d.FrameIn))
	setInt(&o.ChunkBytes, int(d.ChunkBytes))
	setInt(&o.ResultBytes, int(d.ResultBytes))
	setInt(&o.UnwrittenBytes, int(d.UnwrittenBytes))
	setInt(&o.RetainedBytes, int(d.RetainedBytes))
	setInt(&o.LagEvents, int(d.AckLagEvents))
	setInt(&o.MaxSubscribed, int(d.MaxSubscriptions))
	setInt(&o.LogBytes, int(d.LogBytes))
	setInt(&o.MaxJobs, int(d.MaxJobs))
	setInt(&o.MaxFinished, int(d.FinishedJobs))
	setInt(&o.MaxSessions, int(d.MaxSessions))
	setInt(&o.FinishedBytes, int(d.FinishedBytes))
	o.ChunkBytes, o.LogBytes = max(o.ChunkBytes, minChunk), max(o.LogBytes, minLog)
}

func (o *Options) journalLimits() journal.Limits {
	d := arcp.DefaultLimits()
	return journal.Limits{
		FrameBytes:     int(d.FrameOut),
		StagedBytes:    int(d.StagedBytes),
		LogBytes:       o.LogBytes,
		UnwrittenBytes: o.UnwrittenBytes,
		ViewBytes:      o.RetainedBytes,
		LagEvents:      o.LagEvents,
	}
}

func setString(p *string, v string) {
	if *p == "" {
		*p = v
	}
}

func setInt(p *int, v int) {
	if *p <= 0 {
		*p = v
	}
}

func setDuration(p *time.Duration, v time.Duration) {
	if *p == 0 {
		*p = v
	}
}
