package repo

import (
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// docs/messages.md shows a frame of each message and each kind of event, and each is a valid one.
func TestFramesOfMessages(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, b := range blocks("docs/messages.md", pages(t)["docs/messages.md"]) {
		e, err := arcp.Decode([]byte(b.text))
		if err == nil {
			err = e.Validate()
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, b.text)
			continue
		}
		shown[string(e.Type)] = true
		if ev, ok := e.Payload.(*arcp.JobEvent); ok {
			shown[string(ev.Kind)] = true
		}
	}
	for _, m := range arcp.MessageTypes() {
		if !shown[string(m)] {
			t.Errorf("no frame of %s is shown", m)
		}
	}
	for _, k := range arcp.EventKinds() {
		if !shown[string(k)] {
			t.Errorf("no event of kind %s is shown", k)
		}
	}
}
