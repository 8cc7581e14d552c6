package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/store/sqlite"
	"github.com/arcpkit/arcp/pkg/transport"
)

// tape is a client's end that keeps what it reads.
type tape struct {
	transport.Conn
	who    string
	frames *[]string
}

func (c tape) Read(dst []byte) ([]byte, error) {
	b, err := c.Conn.Read(dst)
	if err == nil {
		*c.frames = append(*c.frames, c.who+" "+string(b))
	}
	return b, err
}

// sink is a log that is looked at afterwards.
type sink struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.Write(p)
}

// A value is in the frames to its submitter that may have it, and nowhere else: no other frame, no log, no file of the store, no export of
// it, no list, no history, no error, no metric.
//
// guards D6
// guards H1
func TestCredentialCanary(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{before: map[string]func(context.Context) error{}, after: map[string]func(context.Context) error{}}
	logs, audit := &sink{}, &sink{}
	l := &lives{nodes: &nodes{steps: make(chan struct{})}}
	l.a = newBench(t, func(o *runtime.Options) {
		o.Store, o.Provisioner = db, g
		o.Logger = slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Audit = slog.New(slog.NewJSONHandler(audit, nil))
		o.Observe = func(string, string, string) bool { return true }
	})
	var said []string
	ids, failed := make(chan string, 9), make(chan error, 9)
	for name, agent := range map[string]runtime.Agent{
		"rotating": rotating(l, ids),
		"clumsy": runtime.AgentFunc(func(ctx context.Context, task *runtime.Task) error {
			g.set(false, "rotate", func(context.Context) error {
				all := g.Values()
				return errors.New("cannot use " + all[len(all)-1].Value.Reveal())
			})
			_, err := task.RotateCredential(ctx, task.Credentials()[0].ID)
			g.set(false, "rotate", nil)
			failed <- err
			panic(fmt.Sprintf("%+v %v %#v", task.Credentials(), task.Credentials(), task.Credentials()[0]))
		}),
	} {
		if err := l.a.Handle(name, agent); err != nil {
			t.Fatal(err)
		}
	}
	frames := []string{}
	join := func(who string) *peer {
		p := l.join(t, l.a, who, forMints...)
		p.conn = tape{p.conn, who, &frames}
		return p
	}
	alice, bob := join("alice"), join("bob")
	keyed := &arcp.JobSubmit{Agent: "rotating", IdempotencyKey: "k"}
	a := alice.accepted(keyed)
	bob.say("s1", &arcp.JobSubscribe{JobID: a.JobID, History: true})
	bob.want("job.subscribed running from 0")
	for range 2 {
		l.steps <- struct{}{}
		<-ids
		alice.rotation()
		bob.rotation()
	}
	alice.say("l1", &arcp.SessionListJobs{})
	alice.want(string(arcp.TypeSessionJobs))
	alice.accepted(keyed)
	alice.rotation()
	alice.rotation()
	alice.close()
	alice.resume(l.a, 0)
	alice.conn = tape{alice.conn, "alice", &frames}
	for range 2 { // the accepted, twice
		alice.want(string(arcp.TypeJobAccepted))
	}
	for range 4 {
		alice.rotation()
	}
	if s := l.a.Stats(); s.Credentials != 1 {
		t.Errorf("%d credentials are live, want 1", s.Credentials)
	}
	close(l.steps)
	alice.want("result null")
	bob.want("result null")
	clumsy := alice.accepted(&arcp.JobSubmit{Agent: "clumsy"})
	err = <-failed
	if err == nil {
		t.Error("a rotation that fails succeeds")
	}
	said = append(said, fmt.Sprintf("%v %+v", err, err))
	if got := alice.hear(); !strings.HasPrefix(got, "job.error INTERNAL_ERROR") {
		t.Errorf("heard %q, want the end of the clumsy job", got)
	}
	bob.say("s2", &arcp.JobSubscribe{JobID: clumsy.JobID, History: true})
	bob.want("job.subscribed error from 0")
	bob.hear()
	var metrics strings.Builder
	if err := l.a.WriteMetrics(&metrics); err != nil {
		t.Error(err)
	}
	said = append(said, metrics.String(), fmt.Sprintf("%+v", l.a.Stats()))
	alice.close()
	bob.close()
	l.a.stop(t)
	l.served.Wait()
	g.wantLive(t, "in the end", 0)
	said = append(said, readAll(t, dir)...)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	said = append(said, readAll(t, dir)...)
	var export strings.Builder
	if err := sqlite.Export(t.Context(), dir, &export, runtime.Show); err != nil {
		t.Error(err)
	}
	judge(t, g, frames, append(said, export.String(), logs.String(), audit.String()))
}

// judge holds what was seen against all values that ever were.
func judge(t *testing.T, g *gateway, frames, said []string) {
	t.Helper()
	allowed := []string{string(arcp.TypeJobAccepted), string(arcp.TypeJobSubscribed), arcp.PhaseCredentialRotated}
	seen := 0
	for _, v := range g.Values() {
		for _, text := range said {
			if i := strings.Index(text, v.Value.Reveal()); i >= 0 {
				t.Errorf("a value is in what must have none: ...%q", text[max(0, i-200):i])
			}
		}
		for _, f := range frames {
			if !strings.Contains(f, v.Value.Reveal()) {
				continue
			}
			seen++
			if !strings.HasPrefix(f, "alice ") || !containsAny(f, allowed) {
				t.Errorf("a value is in the frame %.200s", f)
			}
		}
	}
	if seen < 5 {
		t.Errorf("values are in %d frames: the test looks at too little", seen)
	}
}

func containsAny(text string, of []string) bool {
	for _, s := range of {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// readAll returns every file of a folder.
func readAll(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in the store: %v", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}
