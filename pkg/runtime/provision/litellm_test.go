package provision_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/provision"
)

// gateway is a server with the key API.
type gateway struct {
	mu   sync.Mutex
	keys map[string]map[string]any // by alias
	down bool
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer sk-master" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if g.down {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "sk-secret was not understood")
		return
	}
	var body map[string]any
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	if d.Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/key/generate":
		alias, _ := body["key_alias"].(string)
		if g.keys[alias] != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		g.keys[alias] = body
		_ = json.NewEncoder(w).Encode(map[string]any{"key": "sk-" + alias, "key_alias": alias})
	case "/key/delete":
		for _, a := range body["key_aliases"].([]any) {
			if g.keys[a.(string)] == nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			delete(g.keys, a.(string))
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func newGateway(t *testing.T) (*gateway, *provision.LiteLLM) {
	t.Helper()
	g := &gateway{keys: map[string]map[string]any{}}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return g, &provision.LiteLLM{URL: s.URL, Key: arcp.MakeSecret("sk-master"), Client: s.Client()}
}

func usd(t *testing.T, text string) arcp.Budget {
	t.Helper()
	a, err := arcp.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return arcp.Budget{"USD": a}
}

func TestLiteLLM(t *testing.T) {
	t.Parallel()
	g, l := newGateway(t)
	list, err := l.Issue(t.Context(), &runtime.CredentialRequest{
		ID: "mint_1", JobID: "job_1", Budget: usd(t, "0.10"), Models: []string{"tier-fast/*"}, Expires: time.Now().Add(90 * time.Minute),
	})
	if err != nil || len(list) != 1 {
		t.Fatalf("Issue = %d credentials, %v", len(list), err)
	}
	m, key := list[0], g.keys["mint_1"]
	if m.Value.Reveal() != "sk-mint_1" || m.Handle != "mint_1" || !strings.HasSuffix(m.Endpoint, "/v1") {
		t.Errorf("Issue = %+v", m)
	}
	if key["max_budget"] != json.Number("0.10") || key["models"].([]any)[0] != "tier-fast/*" || key["metadata"].(map[string]any)["job"] != "job_1" {
		t.Errorf("the gateway was asked for %v", key)
	}
	if d, err := time.ParseDuration(key["duration"].(string)); err != nil || d <= time.Hour || d > 90*time.Minute {
		t.Errorf("the key lives %v", key["duration"])
	}
	if _, err := l.Rotate(t.Context(), &runtime.CredentialRequest{ID: "mint_2"}, runtime.CredentialRef{Handle: "mint_1"}); err != nil {
		t.Fatal(err)
	}
	if _, has := g.keys["mint_2"]["max_budget"]; has {
		t.Error("a job without a budget has a key with one")
	}
	for _, ref := range []runtime.CredentialRef{{Request: "mint_1", Handle: "mint_1"}, {Request: "mint_2"}, {Request: "mint_2"}} {
		if err := l.Revoke(t.Context(), ref); err != nil {
			t.Errorf("Revoke(%+v) = %v", ref, err)
		}
	}
	if len(g.keys) != 0 {
		t.Errorf("%d keys are left", len(g.keys))
	}
}

// A job that may use no model gets no key, for the gateway takes a key without models for one that is good for all.
//
// guards F1
func TestLiteLLMNoModels(t *testing.T) {
	t.Parallel()
	g, l := newGateway(t)
	list, err := l.Issue(t.Context(), &runtime.CredentialRequest{ID: "mint_1", Models: []string{}})
	if err != nil || len(list) != 0 || len(g.keys) != 0 {
		t.Errorf("Issue = %d credentials, %v; the gateway has %d keys, want none", len(list), err, len(g.keys))
	}
}

func TestLiteLLMRefuses(t *testing.T) {
	t.Parallel()
	g, l := newGateway(t)
	for name, r := range map[string]*runtime.CredentialRequest{
		"nothing left":     {ID: "a", Budget: usd(t, "0")},
		"another currency": {ID: "b", Budget: arcp.Budget{"EUR": usd(t, "1")["USD"]}},
		"an ended lease":   {ID: "c", Expires: time.Now()},
	} {
		if list, err := l.Issue(t.Context(), r); err == nil || len(list) > 0 {
			t.Errorf("%s: %d keys, want an error", name, len(list))
		}
	}
	if len(g.keys) != 0 {
		t.Errorf("%d keys were minted", len(g.keys))
	}
	g.down = true
	_, err := l.Issue(t.Context(), &runtime.CredentialRequest{ID: "d"})
	if err == nil || strings.Contains(err.Error(), "sk-") {
		t.Errorf("the error of a gateway that is down = %v, want one that repeats nothing", err)
	}
	if err := l.Revoke(t.Context(), runtime.CredentialRef{Request: "d"}); err == nil {
		t.Error("Revoke of a gateway that is down succeeds")
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   arcp.ErrorCode
	}{
		{400, `{"error":{"type":"budget_exceeded","message":"Budget has been exceeded!"}}`, arcp.CodeBudgetExhausted},
		{429, `{"error":{"message":"Budget has been exceeded! Current cost: 1"}}`, arcp.CodeBudgetExhausted},
		{401, `{"error":{"type":"key_model_access_denied"}}`, arcp.CodePermissionDenied},
		{403, `no JSON`, arcp.CodePermissionDenied},
		{400, `{"error":{"type":"invalid_request_error"}}`, ""},
		{200, `budget_exceeded`, ""},
		{503, ``, ""},
	} {
		err := provision.Refusal(&http.Response{StatusCode: c.status, Body: io.NopCloser(strings.NewReader(c.body))})
		if c.want == "" && err != nil || c.want != "" && !errors.Is(err, c.want) {
			t.Errorf("Refusal(%d %s) = %v, want %q", c.status, c.body, err, c.want)
		}
	}
}
