package client

import (
	"github.com/arcpkit/arcp/pkg/arcp"
)

// queued is an event and what it counts for.
type queued struct {
	event arcp.Event
	size  int
}

// queue holds the events of a job between the reader and Next, the oldest first. Job.mu guards it.
type queue struct {
	limit int
	items []queued
	bytes int
	shed  int // events dropped before items[0] that Next was not told of
	room  int // how many the next array is made for

	waiting bool          // Next is about to wait for ready
	ready   chan struct{} // holds one token at most; nil until somebody waits
}

// maxRoom bounds the array that is made ahead of events.
const maxRoom = 256

func (q *queue) push(e *arcp.Envelope, p *arcp.JobEvent, size int) {
	if q.items == nil {
		q.items = make([]queued, 0, max(q.room, 1))
	}
	q.items = append(q.items, queued{size: size, event: arcp.Event{
		Seq: e.EventSeq, ID: e.ID, JobID: e.JobID, TraceID: e.TraceID,
		Kind: p.Kind, TS: p.TS, Body: p.Body, Extensions: e.Extensions,
	}})
	q.bytes += size
	for q.bytes > q.limit && len(q.items) > 1 {
		q.bytes -= q.items[0].size
		q.items[0] = queued{}
		q.items = q.items[1:]
		q.shed++
	}
	if q.waiting {
		q.waiting = false
		q.ready <- struct{}{} // there is room: a token is put in only by who found waiting set, and Next took the last one
	}
}

// take empties the queue. The events belong to whoever holds them from then on, so the array is not used again: the next one is made
// as large as this one turned out to be, and a reader that keeps up pays for one event at a time.
func (q *queue) take() []queued {
	items := q.items
	q.room = min(len(items), maxRoom)
	q.items, q.bytes = nil, 0
	return items
}

// weight estimates what an event keeps in memory.
func weight(e *arcp.Envelope, p *arcp.JobEvent) int {
	const fixed = 320 // the structures and the short strings
	n := fixed + len(e.Extensions)
	switch b := p.Body.(type) {
	case *arcp.LogBody:
		n += len(b.Message) + len(b.Fields)
	case *arcp.ThoughtBody:
		n += len(b.Text)
	case *arcp.ToolCallBody:
		n += len(b.Args)
	case *arcp.ToolResultBody:
		n += len(b.Result)
		if b.Error != nil {
			n += len(b.Error.Message) + len(b.Error.Details)
		}
	case *arcp.StatusBody:
		n += len(b.Message) + len(b.Details)
	case *arcp.MetricBody:
		n += len(b.Dimensions)
	case *arcp.ArtifactRefBody:
		n += len(b.URI)
	case *arcp.DelegateBody:
		n += len(b.Input)
	case *arcp.ProgressBody:
		n += len(b.Message)
	case *arcp.ResultChunkBody:
		n += len(b.Data)
	case *arcp.TraceSpanBody:
		n += len(b.Attributes)
	case *arcp.UnknownBody:
		n += len(b.Raw)
	}
	return n
}
