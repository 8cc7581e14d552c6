package runtime_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/internal/convo"
	"github.com/arcpkit/arcp/pkg/runtime"
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
				})
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
