package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/arcpkit/arcp/cmd/arcp/internal/survey"
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
	logLevel  slog.Level
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
		Args: cobra.NoArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return usagef("%w", err)
		}
		return classify(o.run(cmd.Context(), s))
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", defaultListen, "`ADDRESS` to listen at; port 0 takes a free one")
	f.StringVar(&o.cert, "tls-cert", "", "speak TLS with the certificates in the PEM `FILE`")
	f.StringVar(&o.key, "tls-key", "", "PEM `FILE` of the certificate's key")
	f.StringVar(&o.tokenFile, "token-file", "", "`FILE` of lines PRINCIPAL HASH, as `arcp token` makes them")
	f.BoolVar(&o.insecure, "insecure", false, "listen in clear where other machines can connect; everybody on the way can read the tokens")
	f.BoolVar(&o.stdio, "stdio", false, "serve one client over standard input and output, which needs no token")
	f.StringArrayVar(&o.agents, "agent", nil, "`NAME[@VERSION]=COMMAND`, as often as needed")
	f.StringVar(&o.survey, "survey", "", "offer the agent `survey` for what is below `FOLDER`")
	f.StringSliceVar(&o.hosts, "host", nil, "`NAME` that clients may use for this host")
	f.StringSliceVar(&o.origins, "origin", nil, "web `ORIGIN` from which browsers may connect")
	f.DurationVar(&o.drain, "drain", 5*time.Second, "how long running jobs may go on after an interrupt")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "what to log: debug, info, warn or error")
	envFlag(f, "listen", "ARCP_LISTEN")
	envFlag(f, "token-file", "ARCP_TOKEN_FILE")
	return cmd
}

func (o *service) run(ctx context.Context, s streams) error {
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: o.logLevel}))
	options := arcprt.Options{Name: "arcp", Version: version(), Logger: log, TrustTransport: o.stdio}
	if !o.stdio {
		verifier, err := o.verifier(log)
		if err != nil {
			return err
		}
		options.Verifier = verifier
	}
	rt, err := arcprt.New(&options)
	if err != nil {
		return err
	}
	if err := o.register(rt, log); err != nil {
		return err
	}
	if o.stdio {
		return o.serveStdio(ctx, rt)
	}
	return o.serveWebSocket(ctx, rt, log)
}

// verifier knows the principals of the token file, or without one this user.
func (o *service) verifier(log *slog.Logger) (arcprt.Verifier, error) {
	if o.tokenFile != "" {
		tokens, err := readTokens(o.tokenFile)
		if err != nil {
			return nil, usagef("--token-file: %w", err)
		}
		return tokens, nil
	}
	path, err := tokenPath()
	if err != nil {
		return nil, err
	}
	token, made, err := ensureToken(path)
	if err != nil {
		return nil, err
	}
	if made {
		log.Info("made a token for this user", "file", path)
	}
	return arcprt.StaticTokens{arcp.HashToken(token.Reveal()): localPrincipal}, nil
}

func (o *service) register(rt *arcprt.Runtime, log *slog.Logger) error {
	options := &program.Options{Logger: log}
	if o.stdio {
		options.Grace = time.Second // the parent kills us after a few
	}
	for _, spec := range o.agents {
		ref, command, ok := strings.Cut(spec, "=")
		if !ok {
			return usagef("--agent: %q is not NAME[@VERSION]=COMMAND", spec)
		}
		argv, err := splitWords(command)
		if err != nil {
			return usagef("--agent %s: %w", ref, err)
		}
		agent, err := program.New(argv, options)
		if err != nil {
			return usagef("--agent %s: %w", ref, err)
		}
		if err := rt.Handle(ref, agent); err != nil {
			return usagef("--agent: %w", err)
		}
	}
	if o.survey != "" {
		agent, err := survey.New(o.survey)
		if err != nil {
			return usagef("--survey: %w", err)
		}
		if err := rt.Handle("survey", agent); err != nil {
			return usagef("--survey: %w", err)
		}
	}
	if len(o.agents) > 0 || o.survey != "" {
		return nil
	}
	log.Warn("there is no --agent; offering echo")
	return rt.Handle("echo", arcprt.AgentFunc(echo))
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

func (o *service) serveWebSocket(ctx context.Context, rt *arcprt.Runtime, log *slog.Logger) error {
	config, err := o.tlsConfig()
	if err != nil {
		return err
	}
	ln, err := ws.Listen(ctx, o.listen, &ws.ListenOptions{TLS: config, Insecure: o.insecure})
	if err != nil {
		return err
	}
	endpoint := ws.Handler(&ws.Options{Subprotocol: arcp.Subprotocol, Hosts: o.hosts, Origins: o.origins},
		func(ctx context.Context, c transport.Conn) {
			if err := rt.Serve(ctx, c); err != nil {
				log.Debug("connection ended", "peer", c.Peer().Addr, "error", err)
			}
		})
	mux := http.NewServeMux()
	mux.Handle(arcp.DefaultPath, endpoint)
	log.Info("listening on " + endpointURL(ln.Addr(), config != nil))
	err = ws.Serve(ctx, ln, mux, slog.NewLogLogger(log.Handler(), slog.LevelDebug))
	log.Info("shutting down")
	return errors.Join(err, o.shutDown(rt, endpoint, log))
}

// shutDown gives running jobs their time and says goodbye to clients.
func (o *service) shutDown(rt *arcprt.Runtime, endpoint *ws.Endpoint, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	if err := rt.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		log.Warn("stopped the jobs that were running")
	} else if err != nil {
		return err
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

func endpointURL(addr net.Addr, secure bool) string {
	scheme := "ws"
	if secure {
		scheme = "wss"
	}
	return fmt.Sprintf("%s://%s%s", scheme, addr, arcp.DefaultPath)
}
