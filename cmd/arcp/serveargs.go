package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/arcpkit/arcp/cmd/arcp/internal/survey"
	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/program"
)

// check refuses what cannot be served, before anything is made or opened.
func (o *service) check(f *pflag.FlagSet) error {
	if err := notEmpty(f, "listen", "tls-cert", "tls-key", "token-file", "survey", "data", "ops", "audit"); err != nil {
		return err
	}
	if o.drain < 0 {
		return usagef("--drain: %s is negative", o.drain)
	}
	if err := o.checkOperation(f); err != nil {
		return err
	}
	for _, host := range o.hosts {
		if !plainHost.MatchString(host) {
			return usagef("--host: %q is not the name of a host", host)
		}
	}
	for _, origin := range o.origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Hostname() == "" || u.Scheme+"://"+u.Host != origin {
			return usagef("--origin: %q is not an origin as https://example.com", origin)
		}
	}
	if o.stdio {
		return onlyStdio(f)
	}
	if err := checkAddress(o.listen); err != nil {
		return usagef("%s: %w", source(f, "listen"), err)
	}
	return nil
}

func (o *service) checkOperation(f *pflag.FlagSet) error {
	for _, name := range []string{"sync", "restart"} {
		if f.Changed(name) && o.data == "" {
			return usagef("--%s means nothing without --data", name)
		}
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		return usagef("--log-format: %q is neither text nor json", o.logFormat)
	}
	if o.ops == "" {
		return nil
	}
	if err := checkAddress(o.ops); err != nil {
		return usagef("%s: %w", source(f, "ops"), err)
	}
	return nil
}

var plainHost = regexp.MustCompile(`^[0-9A-Za-z._:\[\]-]+$`)

// onlyStdio refuses what means nothing where nobody connects.
func onlyStdio(f *pflag.FlagSet) error {
	for _, name := range []string{"listen", "tls-cert", "tls-key", "token-file", "insecure", "host", "origin", "drain", "ops"} {
		if f.Changed(name) {
			return usagef("--%s means nothing with --stdio", name)
		}
	}
	return nil
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: %q is not a port", address, port)
	}
	return nil
}

// listenError says what can be done about it.
func listenError(from string, err error) error {
	var lookup *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: is another runtime running? choose another address with --listen", inner(err))
	case errors.As(err, &lookup), errors.Is(err, syscall.EADDRNOTAVAIL):
		return usagef("%s: %w", from, inner(err))
	}
	return err
}

// endpointURL is one that can be copied.
func endpointURL(addr net.Addr, secure bool) string {
	scheme, host := "ws", addr.String()
	if secure {
		scheme = "wss"
	}
	if everywhere(addr) {
		host = fmt.Sprintf("127.0.0.1:%d", addr.(*net.TCPAddr).Port)
	}
	return fmt.Sprintf("%s://%s%s", scheme, host, arcp.DefaultPath)
}

// everywhere says whether an address stands for all of this machine.
func everywhere(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsUnspecified()
}

// offer is an agent and what it is to be called.
type offer struct {
	flag, ref string
	agent     arcprt.Agent
}

// offers makes the agents of the command line; none when it has none.
func (o *service) offers(options *program.Options) ([]offer, error) {
	var all []offer
	for _, spec := range o.agents {
		ref, command, ok := strings.Cut(spec, "=")
		if !ok {
			return nil, usagef("--agent: %q is not NAME[@VERSION]=COMMAND", spec)
		}
		if ref == "" || (&arcp.JobSubmit{Agent: ref}).Validate() != nil {
			return nil, usagef("--agent: %q is not NAME or NAME@VERSION", ref)
		}
		argv, err := splitWords(command)
		if err != nil {
			return nil, usagef("--agent %s: %w", ref, err)
		}
		agent, err := program.New(argv, options)
		if err != nil {
			return nil, usagef("--agent %s: %w", ref, inner(err))
		}
		all = append(all, offer{"--agent", ref, agent})
	}
	if o.survey == "" {
		return all, nil
	}
	agent, err := survey.New(o.survey)
	if err != nil {
		return nil, usagef("--survey: %w", err)
	}
	return append(all, offer{"--survey", "survey", agent}), nil
}
