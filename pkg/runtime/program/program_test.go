//go:build unix

package program_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/program"
	"github.com/arcpkit/arcp/pkg/transport"
)

// submit runs a shell script as the agent of one job.
func submit(t *testing.T, script string, o *program.Options, s *arcp.JobSubmit) *client.Job {
	t.Helper()
	return submitTo(t, shell(t, script, o), s, slog.New(slog.DiscardHandler))
}

func shell(t *testing.T, script string, o *program.Options) runtime.Agent {
	t.Helper()
	agent, err := program.New([]string{"sh", "-c", script}, o)
	if err != nil {
		t.Fatal(err)
	}
	return agent
}

func submitTo(t *testing.T, agent runtime.Agent, s *arcp.JobSubmit, log *slog.Logger) *client.Job {
	t.Helper()
	rt, err := runtime.New(&runtime.Options{AllowAnyone: true, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	twice := runtime.NewTool(func(_ context.Context, _ *runtime.Task, n int) (int, error) { return 2 * n, nil })
	if err := errors.Join(rt.Handle("script", agent), rt.HandleTool("twice", twice)); err != nil {
		t.Fatal(err)
	}
	here, there := transport.Pipe()
	served := make(chan error, 1)
	go func() { served <- rt.Serve(context.Background(), there) }()
	session, err := client.Connect(t.Context(), transport.DialerFunc(func(context.Context) (transport.Conn, error) {
		return here, nil
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close(context.Background())
		if err := rt.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		<-served
	})
	s.Agent = "script"
	job, err := session.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// A program calls tools and sets money aside through the gate; what is refused it can handle.
func TestQuestions(t *testing.T) {
	t.Parallel()
	const script = `
read -r input
ask() { echo "$1"; read -r a; answers="$answers${answers:+,}$a"; }
ask '{"call":{"tool":"twice","args":21}}'
ask '{"call":{"tool":"other"}}'
ask '{"reserve":{"metric":"cost.a","price":{"USD":0.75}}}'
ask '{"reserve":{"metric":"cost.a","price":{"USD":0.75}}}'
ask '{"settle":{"hold":"1","cost":{"USD":0.50}}}'
ask '{"settle":{"hold":"1"}}'
ask '{"reserve":{"metric":"cost.a","price":{"USD":0.5}}}'
ask '{"settle":{"hold":"2"}}'
ask '{"authorize":{"capability":"model.use","target":"m"}}'
echo "{\"result\":[$answers]}"
`
	job := submit(t, script, nil, &arcp.JobSubmit{LeaseRequest: arcp.Lease{
		arcp.NamespaceToolCall: {"twice"}, arcp.NamespaceCostBudget: {"USD:1"},
	}})
	var costs []string
	for ev, err := range job.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := ev.Body.(*arcp.MetricBody); ok {
			costs = append(costs, m.Name+" "+string(m.Value))
		}
	}
	if got := strings.Join(costs, ", "); got != "cost.a 0.50, cost.budget.remaining 0.50" {
		t.Errorf("metrics = %s", got)
	}
	res, err := job.Result(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"authorized":true,"result":42},` +
		`{"authorized":false,"code":"PERMISSION_DENIED","message":"the lease does not allow tool.call on \"other\""},` +
		`{"authorized":true,"hold":"1"},` +
		`{"authorized":false,"code":"BUDGET_EXHAUSTED","message":"the budget in USD is exhausted"},` +
		`{"authorized":true},` +
		`{"authorized":false,"code":"INVALID_REQUEST","message":"there is no reservation \"1\""},` +
		`{"authorized":true,"hold":"2"},{"authorized":true},` +
		`{"authorized":false,"code":"PERMISSION_DENIED","message":"the lease does not allow model.use on \"m\""}]`
	if got := string(res.Result); got != want {
		t.Errorf("result = %s\nwant     %s", got, want)
	}
}

func TestConversation(t *testing.T) {
	t.Parallel()
	const script = `
read -r input
echo "about to begin" >&2
echo '{"kind":"progress","body":{"current":1,"total":2}}'
echo '{"authorize":{"capability":"fs.read","target":"/data/a"}}'
read -r yes
echo '{"authorize":{"capability":"fs.read","target":"/etc/passwd"}}'
read -r no
echo "{\"result\":[$input,$yes,$no]}"
`
	job := submit(t, script, nil, &arcp.JobSubmit{
		Input:        arcp.RawJSON("{\n \"a\": 1.50 }"),
		LeaseRequest: arcp.Lease{arcp.NamespaceFSRead: {"/data/**"}},
	})
	var kinds []string
	for ev, err := range job.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, string(ev.Kind))
		if l, ok := ev.Body.(*arcp.LogBody); ok && l.Message != "about to begin" {
			t.Errorf("log = %q", l.Message)
		}
	}
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == string(arcp.KindLog) }) // which comes when it comes
	if got := strings.Join(kinds, " "); got != "progress tool_call tool_result" {
		t.Errorf("events = %s, want one progress and a call that was refused", got)
	}
	res, err := job.Result(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"a":1.50},{"authorized":true},` +
		`{"authorized":false,"code":"PERMISSION_DENIED","message":"the lease does not allow fs.read on \"/etc/passwd\""}]`
	if got := string(res.Result); got != want {
		t.Errorf("result = %s\nwant     %s", got, want)
	}
}

func TestEndings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, script string
		code         arcp.ErrorCode // empty for success
		want         string         // the result, or a part of the message
	}{
		{"null result", `echo '{"result":null}'`, "", "null"},
		{"no input is null", `read -r x; echo "{\"result\":$x}"`, "", "null"},
		{"result without a newline", `printf '{"result":1}'`, "", "1"},
		{"blank lines and carriage returns", `printf '\r\n\n{"result":1}\r\n'`, "", "1"},
		{"exit status after the result", `echo '{"result":1}'; exit 3`, "", "1"},
		{"output after the result", `echo '{"result":1}'; head -c 300000 /dev/zero`, "", "1"},
		{"error", `echo '{"error":{"code":"INVALID_REQUEST","message":"no table","retryable":true,"details":{"n":1}}}'`, arcp.CodeInvalidRequest, "no table"},
		{"error as a text", `echo '{"error":"oh no"}'`, arcp.CodeInternalError, "oh no"},
		{"error of no form", `echo '{"error":7}'`, arcp.CodeInternalError, "line 1"},
		{"garbage", `echo '{"kind":"log","body":{"level":"info","message":"x"}}'; echo; echo 'Traceback: oh'`, arcp.CodeInternalError, "line 3 of the agent program's output: it is not a JSON object"},
		{"duplicate member", `echo '{"result":1,"result":2}'`, arcp.CodeInternalError, "line 1"},
		{"nothing known", `echo '{"resullt":1}'`, arcp.CodeInternalError, "exactly one of"},
		{"two things", `echo '{"result":1,"error":"x"}'`, arcp.CodeInternalError, "exactly one of"},
		{"event without body", `echo '{"kind":"log"}'`, arcp.CodeInternalError, `has no "body"`},
		{"bad body", `echo '{"kind":"progress","body":{"current":-1}}'`, arcp.CodeInternalError, "current"},
		{"unknown kind", `echo '{"kind":"made_up","body":{}}'`, arcp.CodeInternalError, "made_up"},
		{"reserved kind", `echo '{"kind":"delegate","body":{"child_job_id":"x","agent":"a"}}'`, arcp.CodeInternalError, "reserved"},
		{"long line", `head -c 5000 /dev/zero | tr '\0' x; echo; echo '{"result":1}'`, arcp.CodeInternalError, "line 1 of the agent program's output: the line is too long: 4096 bytes is the limit"},
		{"error with a code of no form", `echo; echo '{"error":{"code":"no table","message":"x"}}'`, arcp.CodeInternalError, `line 2 of the agent program's output: the code "no table"`},
		{"error with a code of its own", `echo '{"error":{"code":"NO_TABLE_7","message":"x"}}'`, "NO_TABLE_7", "x"},
		{"exit status", `exit 3`, arcp.CodeInternalError, "ended with exit status 3 and gave no result"},
		{"no result", `true`, arcp.CodeInternalError, "ended and gave no result"},
		{"killed", `kill -9 $$`, arcp.CodeInternalError, "signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			job := submit(t, c.script, &program.Options{MaxLine: 4096}, &arcp.JobSubmit{})
			res, err := job.Result(t.Context())
			if c.code == "" {
				if err != nil || string(res.Result) != c.want {
					t.Errorf("Result = %v, %v, want %s", res, err, c.want)
				}
				return
			}
			if arcp.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Result = %v, want %s with %q", err, c.code, c.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	job := submit(t, `echo "{\"result\":\"$ARCP_TOKEN|$arcp_x|$KEEP|$TRACEPARENT|$ARCP_ATTEMPT\"}"`, &program.Options{
		Env: []string{"ARCP_TOKEN=secret", "arcp_x=secret", "KEEP=kept", "TRACEPARENT=stale", "PATH=" + os.Getenv("PATH")},
	}, &arcp.JobSubmit{})
	res, err := job.Result(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := string(res.Result)
	if !strings.HasPrefix(got, `"||kept|00-`+job.Accepted().TraceID+"-") || !strings.HasSuffix(got, `-01|1"`) {
		t.Errorf("the program saw %s, want KEEP, the trace %s and run 1", got, job.Accepted().TraceID)
	}
}

// The operator's log has a failure once, with what the client is not told: a warning when the agent chose it. A line that is too long
// will be so the next time, too.
func TestFailureIsLoggedOnce(t *testing.T) {
	t.Parallel()
	bounded := &program.Options{MaxLine: 4096}
	for _, c := range []struct {
		name      string
		agent     runtime.Agent
		level     string
		aside     string // in the log only
		retryable bool
	}{
		{"long line", shell(t, `head -c 5000 /dev/zero | tr '\0' x; echo`, bounded), "WARN", "xxx", false},
		{"garbage", shell(t, `echo 'Traceback: oh'`, nil), "WARN", "Traceback: oh", true},
		{"refusal", shell(t, `echo '{"error":{"code":"PERMISSION_DENIED","message":"no"}}'`, nil), "WARN", "", false},
		{"error", runtime.AgentFunc(func(context.Context, *runtime.Task) error { return errors.New("disk full") }), "ERROR", "disk full", true},
		{"panic", runtime.AgentFunc(func(context.Context, *runtime.Task) error { panic("oh no") }), "ERROR", "oh no", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := make(logLines, 16)
			text := slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})
			_, err := submitTo(t, c.agent, &arcp.JobSubmit{}, slog.New(text)).Result(t.Context())
			var e *arcp.Error
			if !errors.As(err, &e) || e.Retryable != c.retryable {
				t.Errorf("Result = %v, want retryable %v", err, c.retryable)
			}
			if c.aside != "" && strings.Contains(err.Error(), c.aside) {
				t.Errorf("the client is told %q", err)
			}
			line := <-log
			for _, part := range []string{`msg="agent failed"`, "level=" + c.level, c.aside} {
				if !strings.Contains(line, part) {
					t.Errorf("the log begins with %q, want %q in it", line, part)
				}
			}
		})
	}
}

// logLines has the lines of a log; it blocks whoever logs more than anybody reads.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// A program that ignores SIGTERM and has children of its own is gone with them when its job is cancelled in the middle.
// All of them hold the fifo open; its end is theirs.
func TestCancelLeavesNobody(t *testing.T) {
	t.Parallel()
	const up = `exec 9> "$FIFO"; sleep 1000 & echo '{"kind":"log","body":{"level":"info","message":"up"}}'; `
	for _, c := range []struct{ name, script string }{
		{"obeys", up + `wait`},
		{"ignores SIGTERM", `trap "" TERM; ` + up + `wait; sleep 1000`},
		{"reads nothing and floods stderr", up + `yes >&2`},
		{"reads nothing and floods stdout", up + `yes '{"kind":"log","body":{"level":"info","message":"x"}}'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			alive, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer alive.Close()
			job := submit(t, c.script, &program.Options{
				Env: append(os.Environ(), "FIFO="+fifo), Grace: 200 * time.Millisecond,
			}, &arcp.JobSubmit{})
			if _, err := job.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := job.Cancel(t.Context(), "enough"); err != nil {
				t.Fatal(err)
			}
			if _, err := job.Result(t.Context()); !errors.Is(err, arcp.CodeCancelled) {
				t.Errorf("Result = %v, want CANCELLED", err)
			}
			if _, err := io.ReadAll(alive); err != nil {
				t.Errorf("waiting for the processes to be gone: %v", err)
			}
		})
	}
}

// A background child that holds the program's output open does not keep its job alive.
func TestLeftoverChild(t *testing.T) {
	t.Parallel()
	job := submit(t, `sleep 1000 & exit 0`, nil, &arcp.JobSubmit{})
	if _, err := job.Result(t.Context()); arcp.CodeOf(err) != arcp.CodeInternalError {
		t.Errorf("Result = %v, want INTERNAL_ERROR", err)
	}
}

func TestLargeInputAndResult(t *testing.T) {
	t.Parallel()
	big := arcp.RawJSON(`"` + strings.Repeat("x", 700_000) + `"`)
	job := submit(t, `read -r x; echo "{\"result\":[$x,$x]}"`, nil, &arcp.JobSubmit{Input: big})
	r, err := job.ResultReader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || len(text) != 2*len(big)+3 {
		t.Errorf("read %d bytes, %v, want %d", len(text), err, 2*len(big)+3)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, argv := range [][]string{nil, {""}, {"no-such-program-anywhere"}} {
		if _, err := program.New(argv, nil); err == nil {
			t.Errorf("New(%q) gave no error", argv)
		}
	}
}
