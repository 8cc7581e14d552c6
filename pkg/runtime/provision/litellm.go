package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// LiteLLM mints keys of a gateway to language models that speaks the key API of LiteLLM: a key a job, with the job's budget, models and
// lifetime, which the gateway holds it to. Keys go by the id of the request that minted them, so that one can be deleted whose value never
// arrived. Its methods may be called from any goroutine; its fields are set before the first use.
type LiteLLM struct {
	// URL is where the gateway is, without a path of its own API: https://gateway.example.com.
	URL string
	// Key is the gateway's master key, or one that may generate and delete keys. It is shown to nobody else.
	Key arcp.Secret
	// Currency is what the gateway counts in; empty is USD. A job with a budget in another one gets no key.
	Currency string
	// MaxLife is how long a key lives at most, whatever the lease says, so that even one that nobody can delete ends; 0 is a day.
	MaxLife time.Duration
	// Client makes the requests; nil is http.DefaultClient. The context of each call bounds them.
	Client *http.Client
}

var _ runtime.Provisioner = (*LiteLLM)(nil)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// generate is the body of a request for a key.
type generate struct {
	Alias    string            `json:"key_alias"`
	Budget   json.Number       `json:"max_budget,omitempty"`
	Models   []string          `json:"models,omitempty"`
	Duration string            `json:"duration"`
	Metadata map[string]string `json:"metadata"`
}

// Issue mints one key. A job that may use no model gets none, and a budget that is used up is an error: the gateway would take either for no limit.
func (l *LiteLLM) Issue(ctx context.Context, r *runtime.CredentialRequest) ([]runtime.Minted, error) {
	if r.Models != nil && len(r.Models) == 0 {
		return nil, nil
	}
	m, err := l.mint(ctx, r)
	if err != nil {
		return nil, err
	}
	return []runtime.Minted{m}, nil
}

// Rotate mints another key, with what is left of the budget by now.
func (l *LiteLLM) Rotate(ctx context.Context, r *runtime.CredentialRequest, _ runtime.CredentialRef) (runtime.Minted, error) {
	return l.mint(ctx, r)
}

func (l *LiteLLM) mint(ctx context.Context, r *runtime.CredentialRequest) (m runtime.Minted, err error) {
	life := l.MaxLife
	if life <= 0 {
		life = 24 * time.Hour
	}
	if !r.Expires.IsZero() {
		life = min(life, time.Until(r.Expires))
	}
	if life < time.Second {
		return m, errors.New("provision: the lease is about to end")
	}
	life = life.Truncate(time.Second)
	ask := generate{
		Alias: r.ID, Models: r.Models, Duration: strconv.FormatInt(int64(life/time.Second), 10) + "s",
		Metadata: map[string]string{"job": r.JobID, "agent": r.Agent, "principal": r.Principal},
	}
	if ask.Budget, err = l.budget(r.Budget); err != nil {
		return m, err
	}
	var made struct {
		Key string `json:"key"`
	}
	if err := l.call(ctx, "/key/generate", &ask, &made); err != nil {
		return m, err
	}
	if made.Key == "" {
		return m, errors.New("provision: the gateway answered without a key")
	}
	return runtime.Minted{
		Handle: r.ID, Value: arcp.MakeSecret(made.Key), Endpoint: strings.TrimSuffix(l.URL, "/") + "/v1", Profile: "openai",
		Budget: r.Budget, Models: r.Models, Expires: time.Now().Add(life).Truncate(time.Second),
	}, nil
}

// budget is what the gateway is told of a budget; empty for none.
func (l *LiteLLM) budget(b arcp.Budget) (json.Number, error) {
	currency := l.Currency
	if currency == "" {
		currency = "USD"
	}
	left, limited := b[currency]
	switch {
	case len(b) == 0:
		return "", nil
	case !limited || len(b) > 1:
		return "", fmt.Errorf("provision: the gateway counts in %s, and the job has a budget in something else", currency)
	case left.Sign() <= 0:
		return "", arcp.NewError(arcp.CodeBudgetExhausted, "nothing is left of the budget")
	}
	return json.Number(left.String()), nil
}

// Revoke deletes a key by its alias. One that is not there is deleted.
func (l *LiteLLM) Revoke(ctx context.Context, ref runtime.CredentialRef) error {
	alias := ref.Handle
	if alias == "" {
		alias = ref.Request
	}
	err := l.call(ctx, "/key/delete", map[string][]string{"key_aliases": {alias}}, nil)
	var s statusError
	if errors.As(err, &s) && s == http.StatusNotFound {
		return nil
	}
	return err
}

// statusError is an answer of the gateway that is none of success. The body is left out: it may repeat keys.
type statusError int

func (s statusError) Error() string {
	return fmt.Sprintf("provision: the gateway answered %d %s", int(s), http.StatusText(int(s)))
}

func (l *LiteLLM) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(l.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+l.Key.Reveal())
	client := l.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("provision: reading the gateway's answer: %w", err)
	case resp.StatusCode/100 != 2:
		return statusError(resp.StatusCode)
	case out == nil:
		return nil
	}
	if json.Unmarshal(text, out) != nil {
		return errors.New("provision: the gateway's answer cannot be read") // what it says may be in the error
	}
	return nil
}

// Refusal returns what an answer of the gateway to an agent's own request means for the job: BUDGET_EXHAUSTED when the key has no money left,
// PERMISSION_DENIED when it may not do that, and nil for all else (§9.6, §13.7). It reads the body of an answer that is an error.
func Refusal(resp *http.Response) error {
	if resp.StatusCode < http.StatusBadRequest || resp.StatusCode >= http.StatusInternalServerError {
		return nil
	}
	var said struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil {
		_ = json.Unmarshal(text, &said) // the status says enough without it
	}
	what := said.Error.Type + " " + strings.ToLower(said.Error.Message)
	switch {
	case strings.Contains(what, "budget_exceeded"), strings.Contains(what, "budget has been exceeded"), resp.StatusCode == http.StatusPaymentRequired:
		return arcp.NewError(arcp.CodeBudgetExhausted, "the service says that the budget is used up")
	case strings.Contains(what, "model_access_denied"), resp.StatusCode == http.StatusForbidden, resp.StatusCode == http.StatusUnauthorized:
		return arcp.NewError(arcp.CodePermissionDenied, "the service does not allow this with the credential of the job")
	}
	return nil
}
