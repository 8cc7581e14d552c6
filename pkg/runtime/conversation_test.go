package runtime_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/internal/convo"
	"github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/runtime/provision"
	"github.com/arcpkit/arcp/pkg/transport"
)

// TestConversations plays the client of each conversation in testdata/sessions/runtime against a runtime.
func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/sessions/runtime/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			script, err := convo.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				rt := newBench(t, func(o *runtime.Options) {
					if strings.HasPrefix(filepath.Base(file), "large") {
						o.Limits.ChunkBytes = 0
					}
					if strings.Contains(file, "back_pressure") {
						o.Limits.AckLagEvents = 2
					}
					if strings.HasPrefix(filepath.Base(file), "credentials") {
						o.Provisioner, o.ForgetfulProvisioner = &provision.Memory{Endpoint: "https://gw.example/v1", Profile: "openai"}, true
					}
				})
				if err := rt.Handle("research-summarizer", runtime.AgentFunc(summarize)); err != nil {
					t.Fatal(err)
				}
				defer rt.stop(t)
				var served sync.WaitGroup
				defer served.Wait()
				script.PlayDial(t, convo.Client, func() (transport.Conn, error) {
					ours, theirs := transport.Pipe()
					served.Go(func() { _ = rt.Serve(context.Background(), ours) })
					return theirs, nil
				}, convo.HostFunc(func(*testing.T, string, string) error {
					return errors.New("the runtime takes no actions")
				}))
			})
		})
	}
}

// summarize is the agent of the draft's example 13.7: it calls a gateway with the credential of its job.
func summarize(ctx context.Context, task *runtime.Task) error {
	c, err := task.CredentialFor("https://gw.example/v1/chat/completions")
	if err != nil {
		return err
	}
	if err := task.Metric(ctx, "cost.inference", "0.83", "USD"); err != nil {
		return err
	}
	if _, err := task.RotateCredential(ctx, c.ID); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return nil
}
