package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// authority is what `arcp submit` asks for on behalf of a job: what it may do, spend and use, and until when.
type authority struct {
	lease   []string
	budget  []string
	models  []string
	expires string
}

func (a *authority) addFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&a.lease, "lease", nil, "what the job may do, as `NAMESPACE=PATTERN`, as often as needed; or @FILE with a lease in JSON")
	f.StringArrayVar(&a.budget, "budget", nil, "what the job may spend, as `CURRENCY:AMOUNT`, once a currency")
	f.StringArrayVar(&a.models, "models", nil, "the models it may use, as a `PATTERN`, as often as needed")
	f.StringVar(&a.expires, "expires", "", "when all that ends, as a `TIME` in UTC or a duration from now")
}

// ask puts it into a submit. It is the runtime that decides; what it could not read is refused here.
func (a *authority) ask(ctx context.Context, submit *arcp.JobSubmit, in io.Reader, now time.Time) error {
	lease := arcp.Lease{}
	for _, text := range a.lease {
		if err := addLease(ctx, lease, text, in); err != nil {
			return err
		}
	}
	for namespace, entries := range map[string][]string{arcp.NamespaceCostBudget: a.budget, arcp.NamespaceModelUse: a.models} {
		if len(entries) > 0 {
			lease[namespace] = append(lease[namespace], entries...)
		}
	}
	if len(lease) > 0 {
		submit.LeaseRequest = lease
	}
	if a.expires == "" {
		return nil
	}
	end, err := moment(a.expires, now)
	if err != nil {
		return err
	}
	submit.LeaseConstraints = &arcp.LeaseConstraints{ExpiresAt: end}
	return nil
}

func addLease(ctx context.Context, lease arcp.Lease, text string, in io.Reader) error {
	if strings.HasPrefix(text, "@") {
		file, err := argument(ctx, "--lease", text, in)
		if err != nil {
			return err
		}
		var more arcp.Lease
		if err := dynjson.Unmarshal(file, &more); err != nil {
			return usagef("--lease %s: %w", text, err)
		}
		for namespace, patterns := range more {
			lease[namespace] = append(lease[namespace], patterns...)
		}
		return nil
	}
	namespace, pattern, ok := strings.Cut(text, "=")
	if !ok || namespace == "" {
		return usagef("--lease: %q is neither NAMESPACE=PATTERN nor @FILE", text)
	}
	lease[namespace] = append(lease[namespace], pattern)
	return nil
}

// moment reads a time in UTC, or how long from now.
func moment(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d).UTC(), nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil || !strings.HasSuffix(text, "Z") {
		return time.Time{}, usagef("--expires: %q is neither a duration, as 10m, nor a time in UTC, as 2006-01-02T15:04:05Z", text)
	}
	return end, nil
}
