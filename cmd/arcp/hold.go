package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
)

// holding is a runtime and what it holds open.
type holding struct {
	rt    *arcprt.Runtime
	store *sqlite.Store // nil without --data
	audit *auditFile    // nil without --audit
	stop  func()        // ends the reopening of the audit file
}

// hold makes the runtime with its agents, with echo when there are none, its store and its audit log.
func (o *service) hold(ctx context.Context, agents []offer, verifier arcprt.Verifier, log *slog.Logger) (_ *holding, err error) {
	h := &holding{}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	options := &arcprt.Options{
		Name: "arcp", Version: version(), Logger: log, TrustTransport: o.stdio, Verifier: verifier, Limits: o.limits,
	}
	if o.audit != "" {
		if h.audit, err = openAudit(o.audit, log); err != nil {
			return h, usagef("--audit: %w", err)
		}
		h.stop = h.audit.reopenOn(reopenSignals...)
		options.Audit = h.audit.logger()
	}
	if err := h.open(ctx, o, options, log); err != nil {
		return h, err
	}
	if h.rt, err = arcprt.New(options); err != nil {
		return h, err
	}
	if len(agents) == 0 {
		log.Warn("there is no --agent; offering echo")
		agents = []offer{{"--agent", "echo", arcprt.AgentFunc(echo)}}
	}
	return h, o.register(h.rt, agents)
}

// open opens the store, if there is to be one.
func (h *holding) open(ctx context.Context, o *service, options *arcprt.Options, log *slog.Logger) (err error) {
	if o.data == "" {
		if !o.stdio {
			log.Info("there is no --data: no job and no session survives this process")
		}
		return nil
	}
	level := store.ProcessKill
	if o.sync {
		level = store.PowerLoss
	}
	h.store, err = sqlite.Open(ctx, o.data, &sqlite.Options{Sync: level})
	switch {
	case errors.Is(err, sqlite.ErrCorrupt):
		return fmt.Errorf("--data %s: %w\nsee what `arcp data check` says of it", o.data, err)
	case err != nil:
		return fmt.Errorf("--data %s: %w", o.data, err)
	}
	options.Store = h.store
	return nil
}

func (o *service) register(rt *arcprt.Runtime, agents []offer) error {
	for _, a := range agents {
		name, _, _ := strings.Cut(a.ref, "@")
		if slices.Contains(o.restart, name) || slices.Contains(o.restart, a.ref) {
			a.agent = arcprt.Restartable(a.agent)
		}
		if err := rt.Handle(a.ref, a.agent); err != nil {
			return usagef("%s: %w", a.flag, err)
		}
	}
	for _, again := range o.restart {
		if !slices.ContainsFunc(agents, func(a offer) bool { return a.ref == again || strings.HasPrefix(a.ref, again+"@") }) {
			return usagef("--restart: there is no agent %q", again)
		}
	}
	return nil
}

func (h *holding) close() error {
	var errs []error
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	if h.audit != nil {
		h.stop()
		errs = append(errs, h.audit.close())
	}
	return errors.Join(errs...)
}
