package main

import (
	"context"
	"log/slog"
	"sync"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
)

// notes tells the user what a session logs of its links, each thing once as long as nothing else happens.
type notes struct {
	tell func(line string)

	mu   sync.Mutex
	last string
}

// Enabled leaves out what only a programmer wants to know.
func (n *notes) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle tells of a record, with its error.
func (n *notes) Handle(_ context.Context, r slog.Record) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.Message == n.last {
		return nil
	}
	n.last = r.Message
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			text += ": " + plainText(a.Value.String())
		}
		return true
	})
	n.tell(eventLine("client", term.Line(text)))
	return nil
}

// WithAttrs leaves attributes out.
func (n *notes) WithAttrs([]slog.Attr) slog.Handler { return n }

// WithGroup leaves groups out.
func (n *notes) WithGroup(string) slog.Handler { return n }
