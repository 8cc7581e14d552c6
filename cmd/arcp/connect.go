package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

const (
	defaultListen  = "127.0.0.1:7878"
	defaultURL     = "ws://" + defaultListen + arcp.DefaultPath
	connectTimeout = 15 * time.Second
	closeTimeout   = 3 * time.Second

	shortGiveUp = 30 * time.Second // of what somebody waits for
	longGiveUp  = 10 * time.Minute // of what may run on its own
)

// target is where a client command connects to and as whom.
type target struct {
	url      string
	token    string
	stdio    string
	ca       string
	insecure bool
	giveUp   time.Duration // how long a lost runtime is looked for; 0 is not at all
	given    bool          // where to connect to was said, and is not the default

	flags *pflag.FlagSet // where they were set; nil before resolve
}

func (t *target) addFlags(cmd *cobra.Command, giveUp time.Duration) {
	f := cmd.Flags()
	f.StringVar(&t.url, "url", defaultURL, "`URL` of the runtime, ws:// or wss://; without a path that is "+arcp.DefaultPath)
	f.StringVar(&t.token, "token", "", "bearer `TOKEN`; for a runtime on this machine the user's own is found by itself")
	f.StringVar(&t.stdio, "stdio", "", "start `COMMAND` and speak to it over its standard streams, in place of a URL")
	f.StringVar(&t.ca, "ca", "", "trust the certificates in the PEM `FILE` only")
	f.BoolVar(&t.insecure, "insecure", false, "send the token in clear to other machines; everybody on the way can read it")
	f.DurationVar(&t.giveUp, "give-up", giveUp, "look for a lost runtime for this `DURATION`, and for one at first, up to 15s; 0 is not to look for a lost one")
	envFlag(f, "url", "ARCP_URL")
	envFlag(f, "token", "ARCP_TOKEN")
	envFlag(f, "stdio", "ARCP_STDIO")
	envFlag(f, "ca", "ARCP_CA")
	envFlag(f, "insecure", "ARCP_INSECURE")
	envFlag(f, "give-up", "ARCP_GIVE_UP")
}

// resolve takes what the environment says into account. A URL on the command line beats a command in the environment.
func (t *target) resolve(cmd *cobra.Command) error {
	f := cmd.Flags()
	t.flags = f
	if f.Changed("url") && f.Changed("stdio") {
		return usagef("give --url or --stdio, not both")
	}
	if err := notEmpty(f, "url", "token", "stdio", "ca"); err != nil {
		return err
	}
	if err := applyEnv(f); err != nil {
		return usagef("%w", err)
	}
	if f.Changed("url") {
		t.stdio = ""
	}
	if t.giveUp < 0 {
		return usagef("%s: %s is negative", source(f, "give-up"), t.giveUp)
	}
	t.given = t.stdio != "" || f.Changed("url") || t.url != defaultURL
	var err error
	if t.stdio == "" {
		t.url, err = runtimeURL(t.url)
	}
	if err != nil {
		return usagef("%s: %w", source(f, "url"), err)
	}
	return nil
}

// runtimeURL checks a URL and gives it the path of runtimes when it has none.
func runtimeURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return "", fmt.Errorf("%q is not a ws:// or wss:// URL", text)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", fmt.Errorf("%q: %s is not a port", text, port)
		}
	}
	if u.Path == "" {
		u.Path = arcp.DefaultPath
	}
	return u.String(), nil
}

// connect opens a session and tells note of what becomes of its links. An error that is neither a refusal nor the user's
// fault says that there is no connection.
func (t *target) connect(ctx context.Context, s streams, note func(string)) (*client.Session, error) {
	return t.open(ctx, s, note, client.Connect)
}

// resume goes on with a session. Its error is client.ErrSessionExpired when that cannot be done any more.
func (t *target) resume(ctx context.Context, s streams, note func(string), state client.State) (*client.Session, error) {
	return t.open(ctx, s, note, func(ctx context.Context, d transport.Dialer, o *client.Options) (*client.Session, error) {
		return client.Resume(ctx, d, state, o)
	})
}

type opener func(context.Context, transport.Dialer, *client.Options) (*client.Session, error)

func (t *target) open(ctx context.Context, s streams, note func(string), begin opener) (*client.Session, error) {
	dialer, err := t.dialer(s)
	if err != nil {
		return nil, err
	}
	token, err := t.secret()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, t.patience())
	defer cancel()
	session, err := begin(ctx, dialer, &client.Options{
		Name: "arcp", Version: version(), Scheme: arcp.SchemeBearer, Token: token.Reveal(), Insecure: t.insecure,
		HandshakeTimeout: t.patience(), Reconnect: t.policy(), Logger: slog.New(&notes{tell: note}),
	})
	if err == nil {
		return session, nil
	}
	return nil, t.failure(err)
}

// patience bounds how long it takes to connect and to be welcomed, each time.
func (t *target) patience() time.Duration {
	if t.giveUp == 0 {
		return connectTimeout
	}
	return min(t.giveUp, connectTimeout)
}

// policy says how a lost link is made again. A command that is started anew knows nothing of the session, so that is not tried.
func (t *target) policy() *client.Reconnect {
	return &client.Reconnect{Off: t.giveUp == 0 || t.stdio != "", GiveUp: t.giveUp}
}

// String names where the target is.
func (t *target) String() string {
	if t.stdio != "" {
		return t.stdio
	}
	return t.url
}

func (t *target) dialer(s streams) (transport.Dialer, error) {
	if t.stdio != "" {
		args, err := splitWords(t.stdio)
		if err != nil {
			return nil, usagef("%s: %w", source(t.flags, "stdio"), err)
		}
		if _, err := exec.LookPath(args[0]); err != nil {
			return nil, usagef("%s: %w", source(t.flags, "stdio"), err)
		}
		return &transport.Command{Args: args, Stderr: term.Writer(s.err)}, nil
	}
	d := &ws.Dialer{URL: t.url, Subprotocol: arcp.Subprotocol, Insecure: t.insecure}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, usagef("%s: %w", source(t.flags, "ca"), err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usagef("%s: %s holds no certificate", source(t.flags, "ca"), t.ca)
		}
		d.TLSConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return d, nil
}

// secret is the token given, or this user's own where the runtime is on this machine: nobody else is shown that.
func (t *target) secret() (arcp.Secret, error) {
	if t.token != "" {
		return arcp.MakeSecret(strings.TrimSpace(t.token)), nil
	}
	if t.stdio != "" || !isLoopback(t.url) {
		return arcp.Secret{}, nil
	}
	path, err := tokenPath()
	if err != nil {
		return arcp.Secret{}, nil // no folder, no token: the runtime will say whether it needs one
	}
	token, err := readToken(path)
	if errors.Is(err, fs.ErrNotExist) {
		return arcp.Secret{}, nil
	}
	if err != nil {
		return arcp.Secret{}, usagef("%w", err)
	}
	return token, nil
}

func isLoopback(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hangUp closes a session without waiting long for a peer that does not answer.
func hangUp(session *client.Session) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = session.Close(ctx)
}
