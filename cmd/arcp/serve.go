package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/program"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// service is what `arcp serve` was told.
type service struct {
	listen    string
	cert, key string
	tokenFile string
	insecure  bool
	stdio     bool
	agents    []string
	survey    string
	hosts     []string
	origins   []string
	drain     time.Duration
	limits    arcprt.Limits
	data      string
	sync      bool
	restart   []string
	ops       string
	audit     string
	logLevel  slog.Level
	logFormat string
}

func newServe(s streams) *cobra.Command {
	o := service{logLevel: slog.LevelInfo}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a runtime",
		Long: "serve runs a runtime over WebSocket, or with --stdio over its standard streams.\n\n" +
			"Any program is an agent: it reads its input as a line of JSON from standard input and writes a line of JSON for\n" +
			"each event and for its result to standard output; see docs/agents.md. COMMAND is split into words as a shell\n" +
			"does, and no shell runs it. With no agent at all there is `echo`, whose result is its input.\n\n" +
			"Without a token file the only client let in is this user: a token is made once and kept, mode 0600, where\n" +
			"`arcp submit` finds it.\n\n" + exitHelp,
		Example: "  arcp serve --agent 'index=python3 index.py'\n" +
			"  arcp serve --listen :7878 --tls-cert cert.pem --tls-key key.pem --token-file tokens --agent index@2.0.0=./index",
		Args: arguments(0, 0),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return usagef("%w", err)
		}
		return classify(o.run(cmd.Context(), s, cmd.Flags()))
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", defaultListen, "`ADDRESS` to listen at; port 0 takes a free one")
	f.StringVar(&o.cert, "tls-cert", "", "speak TLS with the certificates in the PEM `FILE`")
	f.StringVar(&o.key, "tls-key", "", "PEM `FILE` of the certificate's key")
	f.StringVar(&o.tokenFile, "token-file", "", "`FILE` of lines PRINCIPAL HASH, as arcp token makes them")
	f.BoolVar(&o.insecure, "insecure", false, "listen in clear where other machines can connect; everybody on the way can read the tokens")
	f.BoolVar(&o.stdio, "stdio", false, "serve one client over standard input and output, which needs no token")
	f.StringArrayVar(&o.agents, "agent", nil, "`NAME[@VERSION]=COMMAND`, as often as needed")
	f.StringVar(&o.survey, "survey", "", "offer the agent of the demo, named survey, for what is below `FOLDER`")
	f.StringSliceVar(&o.hosts, "host", nil, "`NAME` that clients may use for this host")
	f.StringSliceVar(&o.origins, "origin", nil, "web `ORIGIN` from which browsers may connect")
	f.DurationVar(&o.drain, "drain", 5*time.Second, "let running jobs go on for this `DURATION` after an interrupt")
	o.operationFlags(f)
	limitFlags(f, &o.limits)
	envFlag(f, "listen", "ARCP_LISTEN")
	envFlag(f, "token-file", "ARCP_TOKEN_FILE")
	envFlag(f, "ops", "ARCP_OPS")
	cmd.SetUsageFunc(groupedUsage)
	f.SortFlags = false
	return cmd
}

// operationFlags are for who keeps a runtime running.
func (o *service) operationFlags(f *pflag.FlagSet) {
	f.StringVar(&o.data, "data", "", "keep jobs and sessions in `FOLDER`, over restarts too")
	f.BoolVar(&o.sync, "sync", false, "with --data: what is acknowledged survives a loss of power, not only of the process")
	f.StringArrayVar(&o.restart, "restart", nil, "with --data: the agent `NAME` may run again, from its beginning, for a job that a restart cut off")
	f.StringVar(&o.ops, "ops", "", "answer "+healthPath+", "+readyPath+" and "+metricsPath+" at `ADDRESS`, in clear")
	f.StringVar(&o.audit, "audit", "", "append who did what to `FILE`, as lines of JSON; SIGHUP opens it anew")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "log from this `LEVEL`: debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "text", "log as `FORMAT`: text or json")
	group(f, "Operation", "drain", "data", "sync", "restart", "ops", "audit", "log-level", "log-format")
}

func (o *service) run(ctx context.Context, s streams, f *pflag.FlagSet) error {
	if err := o.check(f); err != nil {
		return err
	}
	log := o.logger(s.err)
	options := &program.Options{}
	if o.stdio {
		options.Grace = time.Second // the parent kills us after a few
	}
	agents, err := o.offers(options)
	if err != nil {
		return err
	}
	if o.stdio {
		return o.runStdio(ctx, agents, log)
	}
	return o.runWebSocket(ctx, f, agents, log)
}

func (o *service) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func (o *service) runStdio(ctx context.Context, agents []offer, log *slog.Logger) error {
	if o.limits.Idle == 0 {
		o.limits.Idle = -1 // a parent may take its time, and cannot be gone without our noticing
	}
	h, err := o.hold(ctx, agents, nil, log)
	if err != nil {
		return err
	}
	return errors.Join(o.serveStdio(ctx, h.rt), h.close())
}

func (o *service) runWebSocket(ctx context.Context, f *pflag.FlagSet, agents []offer, log *slog.Logger) error {
	config, err := o.tlsConfig()
	if err != nil {
		return err
	}
	ln, err := ws.Listen(ctx, o.listen, &ws.ListenOptions{TLS: config, Insecure: o.insecure})
	if err != nil {
		return listenError(source(f, "listen"), err)
	}
	defer func() { _ = ln.Close() }()
	verifier, err := o.verifier(source(f, "token-file"), log) // last, for it may make a token
	if err != nil {
		return err
	}
	pages := newOps()
	if o.ops != "" {
		stop, err := pages.listen(ctx, o.ops, log)
		if err != nil {
			return listenError(source(f, "ops"), err)
		}
		defer stop()
	}
	h, err := o.hold(ctx, agents, verifier, log)
	if err != nil {
		return err
	}
	pages.rt.Store(h.rt)
	return errors.Join(o.serveWebSocket(ctx, h.rt, pages, ln, log), h.close())
}

// verifier knows the principals of the token file, or without one this user.
func (o *service) verifier(from string, log *slog.Logger) (arcprt.Verifier, error) {
	if o.tokenFile != "" {
		tokens, err := readTokens(o.tokenFile)
		if err != nil {
			return nil, usagef("%s: %w", from, err)
		}
		return tokens, nil
	}
	path, err := tokenPath()
	if err != nil {
		return nil, usagef("%w, or give --token-file", err)
	}
	token, made, err := ensureToken(path)
	if err != nil {
		return nil, usagef("no token for this user: %w", err)
	}
	if made {
		log.Info("made a token for this user", "file", path)
	}
	return arcprt.StaticTokens{arcp.HashToken(token.Reveal()): localPrincipal}, nil
}

// echo is the agent of a runtime that was given none: its result is its input.
func echo(_ context.Context, t *arcprt.Task) error {
	if t.Input() == nil {
		return nil
	}
	return t.SetResult(t.Input())
}

// serveStdio serves until the client closes our input.
func (o *service) serveStdio(ctx context.Context, rt *arcprt.Runtime) error {
	conn := transport.Stdio(&transport.LinesOptions{
		Peer: transport.Peer{Secure: true, Loopback: true, Addr: "stdio", Principal: localPrincipal},
	})
	err := rt.Serve(ctx, conn)
	over, cancel := context.WithCancel(context.Background())
	cancel() // nobody is left to see the jobs end
	_ = rt.Shutdown(over)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (o *service) serveWebSocket(ctx context.Context, rt *arcprt.Runtime, pages *ops, ln net.Listener, log *slog.Logger) error {
	if err := rt.Start(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // we were told to stop, and do
		}
		return errors.Join(err, o.shutDown(rt, nil, log))
	}
	endpoint := ws.Handler(&ws.Options{
		Subprotocol: arcp.Subprotocol, Hosts: o.hosts, Origins: o.origins,
		MaxFrame: int(o.limits.FrameIn), WriteTimeout: o.limits.WriteTimeout,
	}, func(ctx context.Context, c transport.Conn) {
		if err := rt.Serve(ctx, c); err != nil {
			log.Debug("connection ended", "peer", c.Peer().Addr, "error", err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle(arcp.DefaultPath, endpoint)
	pages.handle(mux, fromHere)
	where := endpointURL(ln.Addr(), o.cert != "")
	if everywhere(ln.Addr()) {
		where += " and at every address of this machine"
	}
	log.Info("listening on " + where)
	pages.is(ready)
	notify("READY=1")
	err := ws.Serve(untilFailed(ctx, rt), ln, mux, slog.NewLogLogger(log.Handler(), slog.LevelDebug))
	notify("STOPPING=1")
	if lost := rt.Err(); lost != nil {
		pages.is(failed)
		return errors.Join(lost, o.shutDown(rt, endpoint, log))
	}
	pages.is(draining)
	log.Info("shutting down")
	return errors.Join(err, o.shutDown(rt, endpoint, log))
}

// untilFailed is ctx until the runtime has lost its store.
func untilFailed(ctx context.Context, rt *arcprt.Runtime) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		select {
		case <-rt.Failed():
		case <-ctx.Done():
		}
	}()
	return ctx
}

// shutDown gives running jobs their time and says goodbye to clients.
func (o *service) shutDown(rt *arcprt.Runtime, endpoint *ws.Endpoint, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	switch err := rt.Shutdown(ctx); {
	case rt.Err() != nil: // it has been told
	case errors.Is(err, context.DeadlineExceeded) && o.data != "":
		log.Warn("stopped the jobs that were running; those that may run again do at the next start")
	case errors.Is(err, context.DeadlineExceeded):
		log.Warn("stopped the jobs that were running")
	case err != nil:
		return err
	}
	if endpoint == nil {
		return nil
	}
	ctx, cancel = context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return endpoint.Shutdown(ctx)
}

func (o *service) tlsConfig() (*tls.Config, error) {
	switch {
	case o.cert == "" && o.key == "":
		return nil, nil
	case o.cert == "" || o.key == "":
		return nil, usagef("give --tls-cert and --tls-key together")
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return nil, usagef("--tls-cert: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
