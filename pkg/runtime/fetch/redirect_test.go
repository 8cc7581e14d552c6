package fetch

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/arcpkit/arcp/pkg/runtime"
)

// A redirect takes the headers of a request along to its own origin only.
//
// guards H1
func TestRedirectLeavesSecretsBehind(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 2)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	defer other.Close()
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/there", http.StatusFound)
		case "/there":
			got <- r.Header
		default:
			http.Redirect(w, r, other.URL, http.StatusFound)
		}
	}))
	defer own.Close()
	f := New(nil)
	defer f.Close()
	refused := fetching(t, []string{own.URL + "/**", other.URL + "/**"}, func(ctx context.Context, task *runtime.Task) {
		for _, c := range []struct{ path, want string }{{"/here", "Bearer k"}, {"/away", ""}} {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, own.URL+c.path, http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header = http.Header{"Authorization": {"Bearer k"}, "X-Api-Key": {"Bearer k"}, "Accept": {"text/plain"}}
			res, err := f.Client(task).Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
			h := <-got
			if h.Get("Authorization") != c.want || h.Get("X-Api-Key") != c.want || h.Get("Accept") != "text/plain" {
				t.Errorf("%s leads to a request with %v, want the key %q", c.path, h, c.want)
			}
		}
	})
	if len(refused) != 0 {
		t.Errorf("refused %q", refused)
	}
}
