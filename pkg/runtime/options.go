package runtime

import (
	"context"
	"errors"
	"log/slog"
	"time"

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

	// Audit gets a record of each connect, resume, submit, delegate, cancel and subscribe, done or refused, of what else was refused, and of each
	// session that ends. The message says which; the attributes are outcome ("ok" or an error code), principal, session, peer, job,
	// agent, owner (of the job, if it is somebody else), parent (of a child), request (what else was refused), and reason; of each
	// credential that is revoked, or cannot be, with its id as credential. Nil is none.
	Audit *slog.Logger

	// Provisioner mints credentials for jobs; nil is none (§9.8). The feature is offered where nobody on the way can read along, and with a store
	// that survives the process only: otherwise nobody would revoke what a killed runtime had minted.
	Provisioner Provisioner
	// ForgetfulProvisioner offers the feature with a store that survives nothing, too, as in tests.
	ForgetfulProvisioner bool

	// Spans is told of the spans of what the runtime does. Nil is none.
	Spans SpanFunc

	// AnyModel lets jobs whose lease names no model at all use every model; without it they may use none (§9.7).
	AnyModel bool
	// FileRoot is the folder of this machine that the paths of fs.read and fs.write are below, for Task.Open and its like; empty is the root
	// of the file system. Symbolic links up to there are followed, and below only to what the lease covers.
	FileRoot string

	// Limits bounds what clients and agents may use.
	Limits Limits
}

const defaultOrphanScan = 5 * time.Second // how long a dead node's jobs and sessions wait at most

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
	o.Limits.resolve()
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

func setString(p *string, v string) {
	if *p == "" {
		*p = v
	}
}
