package invariant

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// Both ends of a connection record the same frames, each as sent by who sent it, with the time of the bubble.
func TestRecorder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := transport.Pipe()
		clients, runtimes := NewRecorder(), NewRecorder()
		server := runtimes.Conn(theirs, arcp.FromRuntime)
		client, err := clients.Dialer(transport.DialerFunc(func(context.Context) (transport.Conn, error) { return ours, nil })).Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		say := func(from, to transport.Conn, text string) {
			t.Helper()
			if err := from.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if err := from.Flush(); err != nil {
				t.Fatal(err)
			}
			if got, err := to.Read([]byte("before ")); err != nil || string(got) != "before "+text {
				t.Fatalf("Read = %q, %v", got, err)
			}
		}
		say(client, server, "ping")
		time.Sleep(time.Second)
		say(server, client, "pong")
		for name, r := range map[string]*Recorder{"client": clients, "runtime": runtimes} {
			tr := r.Trace()
			if len(tr) != 2 || string(tr[0].Data) != "ping" || tr[0].From != arcp.FromClient || tr[0].Link != 1 ||
				string(tr[1].Data) != "pong" || tr[1].From != arcp.FromRuntime || tr[1].At != time.Second {
				t.Errorf("%s's trace = %v", name, tr)
			}
		}
		_ = client.Close("")
		_ = server.Close("")
	})
}

// told collects what a test would be told.
type told []string

func (t *told) Helper() {}

func (t *told) Errorf(format string, args ...any) { *t = append(*t, fmt.Sprintf(format, args...)) }

func TestReport(t *testing.T) {
	t.Parallel()
	p := good(t)
	var said told
	(&Recorder{trace: p.trace}).Report(&said, options())
	if len(said) > 0 {
		t.Errorf("Report of a good trace = %q", said)
	}
	p.repeat("e2", 0)
	(&Recorder{trace: p.trace}).Report(&said, options())
	if len(said) == 0 || !strings.Contains(said[0], string(Numbers)) || !strings.Contains(said[0], job1+".2") {
		t.Errorf("Report of an event that came twice = %q", said)
	}
}
