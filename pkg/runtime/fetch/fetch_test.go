package fetch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// TestPermits: which addresses a host may stand for. guards T16
func TestPermits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host, to string
		want     bool
	}{
		{"example.com", "93.184.216.34", true},
		{"example.com", "2606:2800:220:1::1", true},
		{"example.com", "127.0.0.1", false},
		{"example.com", "::1", false},
		{"example.com", "::ffff:127.0.0.1", false},
		{"example.com", "::127.0.0.1", false},
		{"example.com", "10.1.2.3", false},
		{"example.com", "172.31.0.1", false},
		{"example.com", "192.168.0.1", false},
		{"example.com", "169.254.169.254", false},
		{"example.com", "fe80::1%eth0", false},
		{"example.com", "fd00::1", false},
		{"example.com", "100.100.0.1", false},
		{"example.com", "0.0.0.0", false},
		{"example.com", "::", false},
		{"example.com", "224.0.0.1", false},
		{"example.com", "255.255.255.255", false},
		{"example.com", "64:ff9b::7f00:1", false},
		{"example.com", "2002:7f00:1::", false},
		{"intern.example", "10.9.0.7", true}, // a network that is allowed
		{"127.0.0.1", "127.0.0.1", true},     // which the lease names
		{"127.0.0.1", "127.0.0.2", false},
		{"::1", "::1", true},
		{"localhost", "127.0.0.1", true},
		{"LOCALHOST.", "::1", true},
		{"localhost", "10.1.2.3", false},
		{"a.localhost", "127.0.0.1", false},
	} {
		f := New(&Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}})
		if got := f.permits(c.host, netip.MustParseAddr(c.to)); got != c.want {
			t.Errorf("permits(%s, %s) = %v, want %v", c.host, c.to, got, c.want)
		}
	}
}

// fetching runs f as the agent of a job with a lease and returns the calls that its log says were refused.
func fetching(t *testing.T, lease []string, f func(ctx context.Context, task *runtime.Task)) (refused []string) {
	t.Helper()
	rt, err := runtime.New(&runtime.Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	agent := runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error { f(ctx, task); return nil })
	if err := rt.Handle("agent", agent); err != nil {
		t.Fatal(err)
	}
	ours, theirs := transport.Pipe()
	var served sync.WaitGroup
	served.Go(func() { _ = rt.Serve(context.Background(), ours) })
	defer served.Wait()
	defer theirs.Close("")
	say := func(session string, p arcp.Payload) {
		frame, err := (&arcp.Envelope{ID: arcp.NewID(arcp.PrefixMessage), SessionID: session, Payload: p}).AppendJSON(nil)
		if err := errors.Join(err, theirs.Write(frame), theirs.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	hear := func() *arcp.Envelope {
		frame, err := theirs.Read(nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := arcp.Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	say("", &arcp.SessionHello{Client: arcp.Software{Name: "test"}})
	say(hear().SessionID, &arcp.JobSubmit{Agent: "agent", LeaseRequest: arcp.Lease{arcp.NamespaceNetFetch: lease}})
	target := ""
	for {
		switch p := hear().Payload.(type) {
		case *arcp.JobResult:
			return refused
		case *arcp.JobError:
			t.Fatalf("the job ended with %s %s", p.Code, p.Message)
		case *arcp.SessionError:
			t.Fatalf("refused: %s", p.Message)
		case *arcp.JobEvent:
			switch b := p.Body.(type) {
			case *arcp.ToolCallBody:
				var args struct {
					Target string `json:"target"`
				}
				if err := dynjson.Unmarshal(b.Args, &args); err != nil {
					t.Fatal(err)
				}
				target = args.Target
			case *arcp.ToolResultBody:
				refused = append(refused, target+" "+string(b.Error.Code))
			}
		}
	}
}

// TestFetch: each hop is asked for, and what a wildcard stands for is no host of this machine.
func TestFetch(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var reached []string
	var parent string
	handler := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reached, parent = append(reached, r.URL.Path), r.Header.Get("Traceparent")
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}
	srv := httptest.NewServer(http.HandlerFunc(handler))
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	f := New(nil)
	defer f.Close()
	trace := ""
	get := func(ctx context.Context, task *runtime.Task, url string) string {
		trace = task.TraceID()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err.Error()
		}
		if strings.Contains(url, "spoofed") {
			r.Host = "other.example"
		}
		res, err := f.Client(task).Do(r)
		var refused *arcp.Error
		if errors.As(err, &refused) {
			return string(refused.Code)
		}
		if err != nil {
			return err.Error()
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return string(text)
	}
	refused := fetching(t, []string{srv.URL + "/ok/**", "http://*" + port + "/**"}, func(ctx context.Context, task *runtime.Task) {
		for _, c := range []struct{ url, want string }{
			{srv.URL + "/ok/1", "hello"},
			{srv.URL + "/ok/2?to=/ok/3", "hello"},
			{srv.URL + "/ok/4?to=/no/1", "PERMISSION_DENIED"},
			{srv.URL + "/ok/5?to=http://169.254.169.254/latest", "PERMISSION_DENIED"},
			{srv.URL + "/ok/spoofed", "PERMISSION_DENIED"},
			{srv.URL + "/no/2", "PERMISSION_DENIED"},
			{"http://localhost" + port + "/no/3", "PERMISSION_DENIED"},
			{"http://user@127.0.0.1" + port + "/ok/6", "PERMISSION_DENIED"},
		} {
			if got := get(ctx, task, c.url); got != c.want {
				t.Errorf("GET %s = %q, want %q", c.url, got, c.want)
			}
		}
	})
	if len(refused) != 6 {
		t.Errorf("the log has %d refusals, want 6: %q", len(refused), refused)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(reached, " "); got != "/ok/1 /ok/2 /ok/3 /ok/4 /ok/5" {
		t.Errorf("reached %s", got)
	}
	if id, ok := arcp.ParseTraceID(parent); !ok || id != trace {
		t.Errorf("traceparent %q is not of the trace %s", parent, trace)
	}
}

// TestFetchChecksTheAddress: a name that stands for an address of this machine is refused at the dial, and the log has it.
func TestFetchChecksTheAddress(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	f := New(nil)
	defer f.Close()
	f.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return f.connect(ctx, network, "127.0.0.1:"+port, host) // what its owner made of the name meanwhile
	}
	refused := fetching(t, []string{"http://rebound.example" + port + "/**"}, func(ctx context.Context, task *runtime.Task) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://rebound.example"+port+"/x", nil)
		if err != nil {
			t.Error(err)
			return
		}
		res, err := f.Client(task).Do(r)
		if err == nil {
			res.Body.Close()
		}
		if arcp.CodeOf(err) != arcp.CodePermissionDenied {
			t.Errorf("GET = %v, want PERMISSION_DENIED", err)
		}
	})
	if len(refused) != 1 || !strings.HasPrefix(refused[0], "http://rebound.example") {
		t.Errorf("the log has %q", refused)
	}
}
