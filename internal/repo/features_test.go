package repo

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/provision"
	"github.com/arcpkit/arcp/pkg/transport"
)

// README.md says of each feature what runtime and client say of themselves when they meet.
func TestReadmeFeatures(t *testing.T) {
	t.Parallel()
	runtime, client := advertised(t), asked(t)
	var want strings.Builder
	word := map[bool]string{true: "yes", false: "not yet"}
	asks := map[bool]string{true: "yes", false: "when told to"} // it takes what it did not ask for, too
	for _, f := range arcp.Features() {
		want.WriteString("| `" + string(f) + "` | " + word[slices.Contains(runtime, f)] + " | " + asks[slices.Contains(client, f)] + " |\n")
	}
	if !strings.Contains(pages(t)["README.md"], "| feature | runtime | client |\n|---|---|---|\n"+want.String()+"\n") {
		t.Errorf("the table of features in README.md must be\n%s", &want)
	}
}

// advertised is what a runtime welcomes somebody with who asks for everything.
func advertised(t *testing.T) []arcp.Feature {
	t.Helper()
	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true, Provisioner: &provision.Memory{}, ForgetfulProvisioner: true})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := transport.Pipe()
	served := make(chan error, 1)
	go func() { served <- rt.Serve(t.Context(), theirs) }()
	s, err := client.Connect(t.Context(), to{ours}, &client.Options{Features: arcp.Features()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	<-served
	return s.Features()
}

// asked is what a client says in its hello when nobody tells it what to ask for.
func asked(t *testing.T) []arcp.Feature {
	t.Helper()
	ours, theirs := transport.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = client.Connect(t.Context(), to{ours}, nil)
	}()
	frame, err := theirs.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Close("seen enough"); err != nil {
		t.Error(err)
	}
	<-done
	e, err := arcp.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return e.Payload.(*arcp.SessionHello).Capabilities.Features
}

// to dials a connection that exists.
type to struct{ conn transport.Conn }

func (d to) Dial(context.Context) (transport.Conn, error) { return d.conn, nil }
