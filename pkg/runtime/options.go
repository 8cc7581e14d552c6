package runtime

import (
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

	// Verifier authenticates clients. It is required unless AllowAnyone is set or every connection comes
	// authenticated by its transport.
	Verifier Verifier
	// AllowAnyone lets every client on the same machine in, whatever its token. Connections from elsewhere are refused.
	AllowAnyone bool

	// Observe says whether a principal may follow a job of another one; nil is never (§7.6). It must not block.
	Observe func(observer, owner, agent string) bool

	// Store keeps jobs and sessions; nil is a new memory engine, which survives nothing.
	Store store.Store
	// Logger gets what operators need to know; nil discards it.
	Logger *slog.Logger

	HandshakeTimeout  time.Duration // from the connection to the hello; negative is the default, too
	HeartbeatInterval time.Duration // silence after which a ping is sent; whole seconds; negative turns heartbeats off
	CancelGrace       time.Duration // how long an agent may take to obey a cancel
	ResumeWindow      time.Duration // how long a session outlives its link; negative: not at all
	JobRetention      time.Duration // how long a finished job is remembered
	IdempotencyTime   time.Duration // how long an idempotency key is

	FrameBytes     int // the largest frame read
	ChunkBytes     int // the largest result chunk, decoded
	ResultBytes    int // the largest result, in bytes
	UnwrittenBytes int // waiting for a reader; past it the reader is cut
	RetainedBytes  int // written and not acknowledged, kept for the resume of one session
	LogBytes       int // kept of one job's log
	LagEvents      int // how far an acknowledging client may lag before it is told of back pressure
	MaxJobs        int // unfinished jobs of one session
	MaxSubscribed  int // subscriptions of one session
	MaxFinished    int // finished jobs remembered
	FinishedBytes  int // of their logs, all together
}

// What is remembered of jobs when nothing else is said: of one log, and of the logs of finished jobs, in bytes and number.
const (
	defaultLogBytes      = 64 << 20
	defaultFinishedBytes = 256 << 20
	defaultMaxFinished   = 10_000
)

// minChunk is the smallest result chunk: it holds any rune.
const minChunk = 4

func (o *Options) resolve() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Verifier != nil && r.AllowAnyone {
		return r, errors.New("runtime: Options.AllowAnyone with a Verifier: choose one")
	}
	if r.Store == nil {
		r.Store = store.NewMemory()
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	setString(&r.Name, "arcpkit")
	setString(&r.Version, "0.0.0")
	r.resolveLimits()
	return r, nil
}

func (r *Options) resolveLimits() {
	d := arcp.DefaultLimits()
	r.HandshakeTimeout = max(r.HandshakeTimeout, 0)
	setDuration(&r.HandshakeTimeout, seconds(uint64(d.HandshakeSec)))
	setDuration(&r.HeartbeatInterval, seconds(uint64(d.HeartbeatIntervalSec)))
	if r.HeartbeatInterval > 0 {
		r.HeartbeatInterval = max(time.Second, r.HeartbeatInterval.Truncate(time.Second)) // the welcome says it in seconds
	}
	setDuration(&r.CancelGrace, seconds(uint64(d.CancelGraceSec)))
	setDuration(&r.ResumeWindow, seconds(uint64(d.ResumeWindowSec)))
	setDuration(&r.IdempotencyTime, seconds(uint64(d.IdempotencySec)))
	setDuration(&r.JobRetention, seconds(uint64(d.JobRetentionSec)))
	setInt(&r.FrameBytes, int(d.FrameIn))
	setInt(&r.ChunkBytes, int(d.ChunkBytes))
	setInt(&r.ResultBytes, int(d.ResultBytes))
	setInt(&r.UnwrittenBytes, int(d.UnwrittenBytes))
	setInt(&r.RetainedBytes, int(d.RetainedBytes))
	setInt(&r.LagEvents, int(d.AckLagEvents))
	setInt(&r.MaxSubscribed, int(d.MaxSubscriptions))
	setInt(&r.LogBytes, defaultLogBytes)
	setInt(&r.MaxJobs, int(d.MaxJobs))
	setInt(&r.MaxFinished, defaultMaxFinished)
	setInt(&r.FinishedBytes, defaultFinishedBytes)
	r.ChunkBytes = max(r.ChunkBytes, minChunk)
}

func (r *Options) journalLimits() journal.Limits {
	d := arcp.DefaultLimits()
	return journal.Limits{
		FrameBytes:     int(d.FrameOut),
		StagedBytes:    int(d.StagedBytes),
		LogBytes:       r.LogBytes,
		UnwrittenBytes: r.UnwrittenBytes,
		ViewBytes:      r.RetainedBytes,
		LagEvents:      r.LagEvents,
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
