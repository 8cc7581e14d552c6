package client

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Options shapes a session. The zero value works where no token is needed; Connect copies it.
type Options struct {
	// Name and Version tell the runtime who we are; "arcpkit" and none when empty.
	Name, Version string
	// Scheme is how Token is to be understood; the runtime takes an empty one for bearer.
	Scheme string
	// Token proves who we are. It is never logged.
	Token string
	// Insecure lets Token go over a network in clear.
	Insecure bool
	// Logger is told what is ignored, at debug, what the runtime reports, at warn, and of links lost and made again, at info; nil is
	// silence.
	Logger *slog.Logger
	// Features are those asked for; nil asks for all that the package knows how to use.
	Features []arcp.Feature
	// EventBytes is about how much of one job's unread events is kept; 0 is 16 MiB. What comes past it is fetched again from the
	// runtime when its turn comes, and shed only where that fails; see Job.Next.
	EventBytes int
	// ResultBytes is about how much of one job's streamed result is kept unread, in bytes as they came; 0 is 64 MiB. What comes past it
	// is fetched again from the runtime when its turn comes; see Job.ResultReader.
	ResultBytes int
	// HandshakeTimeout bounds the dialling and the handshake of each link, Connect's beside its context; 0 is 30 s.
	HandshakeTimeout time.Duration
	// Reconnect says how a lost link is made again; nil is the zero Reconnect.
	Reconnect *Reconnect
}

// Reconnect says how a lost link is made again: a wait that doubles from one attempt to the next. The zero value does it with the
// defaults.
type Reconnect struct {
	// Off ends the session with its first link.
	Off bool
	// Initial is the wait before the first attempt; 0 is 100 ms.
	Initial time.Duration
	// Max is the longest wait between two; 0 is 10 s.
	Max time.Duration
	// Jitter is the share of each wait, from 0 to 1, that is left to chance; 0 is a half, a negative one none.
	Jitter float64
	// GiveUp ends the session that has not worked for so long; 0 is as long as the runtime keeps it.
	GiveUp time.Duration
}

func (r *Reconnect) withDefaults() *Reconnect {
	var c Reconnect
	if r != nil {
		c = *r
	}
	if c.Initial <= 0 {
		c.Initial = defaultInitialWait
	}
	if c.Max <= 0 {
		c.Max = defaultMaxWait
	}
	c.Max = max(c.Max, c.Initial)
	switch {
	case c.Jitter == 0:
		c.Jitter = defaultJitter
	case c.Jitter < 0:
		c.Jitter = 0
	}
	c.Jitter = min(c.Jitter, 1)
	return &c
}

// String returns the options without Token.
func (o Options) String() string {
	return fmt.Sprintf("client.Options{Name:%q Version:%q Scheme:%q Insecure:%v Features:%q}", o.Name, o.Version, o.Scheme, o.Insecure, o.Features)
}

// GoString returns what String does.
func (o Options) GoString() string { return o.String() }

// LogValue returns what String does, for log/slog.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

const (
	defaultName             = "arcpkit"
	defaultEventBytes       = 16 << 20
	defaultResultBytes      = 64 << 20
	defaultHandshakeTimeout = 30 * time.Second
	defaultInitialWait      = 100 * time.Millisecond
	defaultMaxWait          = 10 * time.Second
	defaultJitter           = 0.5
)

// knownFeatures are those a session can use.
func knownFeatures() []arcp.Feature {
	return []arcp.Feature{
		arcp.FeatureHeartbeat, arcp.FeatureAck, arcp.FeatureListJobs, arcp.FeatureSubscribe, arcp.FeatureProgress,
		arcp.FeatureResultChunk, arcp.FeatureAgentVersions, arcp.FeatureLeaseExpiresAt,
		arcp.FeatureCostBudget, arcp.FeatureModelUse,
	}
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	}
	if c.Features == nil {
		c.Features = knownFeatures()
	} else {
		c.Features = slices.Clone(c.Features)
	}
	if c.EventBytes <= 0 {
		c.EventBytes = defaultEventBytes
	}
	if c.ResultBytes <= 0 {
		c.ResultBytes = defaultResultBytes
	}
	if c.HandshakeTimeout <= 0 {
		c.HandshakeTimeout = defaultHandshakeTimeout
	}
	c.Reconnect = c.Reconnect.withDefaults()
	return c
}

// takeHello makes the hello and forgets the token: what is kept of the options may be printed.
func (o *Options) takeHello() *arcp.SessionHello {
	token := arcp.MakeSecret(o.Token)
	o.Token = ""
	return &arcp.SessionHello{
		Client:       arcp.Software{Name: o.Name, Version: o.Version},
		Auth:         arcp.Auth{Scheme: o.Scheme, Token: token},
		Capabilities: &arcp.ClientCapabilities{Encodings: []string{"json"}, Features: o.Features},
	}
}
