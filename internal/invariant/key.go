package invariant

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// key is the scope of an idempotency key (§7.2).
type key struct{ principal, key string }

// uses are the submits with one key.
type uses struct {
	accepted []use
	refused  []use // as DUPLICATE_KEY
}

type use struct {
	print string
	job   string
	at    int
	when  time.Duration
}

// keyWindow is how long a key holds, by the draft.
const keyWindow = arcp.LimitIdempotencySec * time.Second

// use notes what became of a submit with a key; a job of "" is a refusal.
func (c *checker) use(s *session, r *request, job string) {
	if r.submit == nil || r.submit.IdempotencyKey == "" {
		return
	}
	k := key{s.principal, r.submit.IdempotencyKey}
	u := c.keys[k]
	if u == nil {
		u = &uses{}
		c.keys[k] = u
	}
	one := use{print: fingerprint(r.submit), job: job, at: c.at, when: c.trace[c.at].At}
	if job == "" {
		u.refused = append(u.refused, one)
	} else {
		u.accepted = append(u.accepted, one)
	}
}

// closeKeys judges every key by its first acceptance (I10).
func (c *checker) closeKeys() {
	order := func(a, b key) int {
		return cmp.Or(cmp.Compare(a.principal, b.principal), cmp.Compare(a.key, b.key))
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.keys), order) {
		u := c.keys[k]
		if len(u.accepted) == 0 {
			continue
		}
		first := u.accepted[0]
		for _, a := range u.accepted[1:] {
			c.at = a.at
			switch {
			case a.when-first.when >= keyWindow:
			case a.print != first.print:
				c.fail(Keys, "", a.job, "the key %q of %q was taken with two fingerprints", k.key, k.principal)
			case a.job != first.job:
				c.fail(Keys, "", a.job, "the key %q of %q got a second job, the first is %s", k.key, k.principal, first.job)
			}
		}
		for _, a := range u.refused {
			if c.at = a.at; a.print == first.print && a.when-first.when < keyWindow {
				c.fail(Keys, "", first.job, "an equal submit with the key %q of %q was refused as another", k.key, k.principal)
			}
		}
	}
}

// fingerprint is what must be equal in two submits with one key. It is written without the runtime's own, so that each checks the other.
func fingerprint(p *arcp.JobSubmit) string {
	parts := map[string]any{"agent": p.Agent, "input": plain(p.Input), "lease": map[string][]string(p.LeaseRequest), "runtime": p.MaxRuntimeSec}
	if k := p.LeaseConstraints; k != nil {
		parts["expires"], parts["budget"] = k.ExpiresAt.UTC(), k.MaxBudget
	}
	out, err := json.Marshal(parts)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// plain is a JSON text as a value in which equal numbers are equal.
func plain(text arcp.RawJSON) any {
	if text == nil {
		return "absent"
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return string(text)
	}
	return []any{exact(v)}
}

func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(v.String())
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	}
	return v
}

// number keeps literals with enormous exponents as they are.
func number(text string) any {
	if _, exp, _ := strings.Cut(strings.ToLower(text), "e"); len(exp) > 4 {
		return []any{text}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return []any{text}
	}
	return []any{r.RatString()}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
