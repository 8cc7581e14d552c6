package link_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/transport"
)

// A frame that peers need not read is refused to its sender, whole, and the link goes on.
func TestSendRefusesWhatNoFrameHolds(t *testing.T) {
	t.Parallel()
	frame := func(size int) *arcp.Envelope {
		e := &arcp.Envelope{ID: "i", Payload: &arcp.JobSubmit{Agent: "a", Input: arcp.RawJSON(`""`)}}
		e.Payload.(*arcp.JobSubmit).Input = arcp.RawJSON(`"` + strings.Repeat("x", size-len(text(t, e))) + `"`)
		return e
	}
	a, b := transport.NewPipe(transport.PipeOptions{Bytes: 10 << 20})
	l := link.New(a, link.Options{})
	end := run(l, ignore)
	for name, send := range map[string]func(*arcp.Envelope) error{
		"Send":     l.Send,
		"SendWait": func(e *arcp.Envelope) error { return l.SendWait(t.Context(), e) },
	} {
		err := send(frame(arcp.LimitFrameOut + 1))
		if !errors.Is(err, link.ErrFrameTooLarge) || !strings.Contains(err.Error(), "a job.submit of 1000001 bytes, where 1000000") {
			t.Errorf("%s of a frame too large = %v", name, err)
		}
	}
	for _, e := range []*arcp.Envelope{frame(arcp.LimitFrameOut), ping("after")} {
		if err := l.Send(e); err != nil {
			t.Fatal(err)
		}
	}
	got := make(chan []string)
	go func() { got <- readAll(b) }()
	if err := l.Drain(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	<-end
	if frames := <-got; len(frames) != 2 || len(frames[0]) != arcp.LimitFrameOut || frames[1] != "after" {
		t.Errorf("%d frames were written, want the largest allowed and the one after it", len(frames))
	}
}
