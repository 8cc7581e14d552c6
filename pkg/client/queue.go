package client

import (
	"github.com/arcpkit/arcp/pkg/arcp"
)

// queued is an event and what it counts for.
type queued struct {
	event  arcp.Event
	behind uint64 // the index in the job's log that is done with before it
	size   int
}

// queue holds the events of a job between the reader and Next, the oldest first. Job.mu guards it.
type queue struct {
	limit  int
	blocks [][]queued // none is empty
	head   int        // items of blocks[0] that were shed
	bytes  int
	shed   int    // events dropped before the first that Next was not told of
	from   uint64 // the seq of the first event of the last batch taken
	to     uint64 // and of the last
	begin  uint64 // behind of the first
	room   int    // how many the next first block is made for

	waiting bool          // Next is about to wait for ready
	ready   chan struct{} // holds one token at most; nil until somebody waits
}

// maxRoom bounds a block: it is what one event kept for long keeps with it.
const maxRoom = 64

// full says whether an event of that size has to wait outside. The first never has.
func (q *queue) full(size int) bool { return q.bytes+size > q.limit && len(q.blocks) > 0 }

// wake ends the wait of Next.
func (q *queue) wake() {
	if q.waiting {
		q.waiting = false
		q.ready <- struct{}{} // there is room: a token is put in only by who found waiting set, and Next took the last one
	}
}

func (q *queue) push(e *arcp.Envelope, p *arcp.JobEvent, behind uint64, size int) {
	q.grow()
	last := &q.blocks[len(q.blocks)-1]
	*last = append(*last, queued{behind: behind, size: size, event: arcp.Event{
		Seq: e.EventSeq, ID: e.ID, JobID: e.JobID, TraceID: e.TraceID,
		Kind: p.Kind, TS: p.TS, Body: p.Body, Extensions: e.Extensions,
	}})
	q.bytes += size
	for q.bytes > q.limit && (len(q.blocks) > 1 || q.head < len(q.blocks[0])-1) {
		q.drop()
	}
	q.wake()
}

// grow makes room for one event at the end.
func (q *queue) grow() {
	size := max(q.room, 1)
	if n := len(q.blocks); n > 0 {
		last := q.blocks[n-1]
		if len(last) < cap(last) {
			return
		}
		size = min(2*len(last), maxRoom)
	}
	q.blocks = append(q.blocks, make([]queued, 0, size))
}

// drop sheds the oldest event.
func (q *queue) drop() {
	first := q.blocks[0]
	q.bytes -= first[q.head].size
	first[q.head] = queued{}
	q.head++
	q.shed++
	if q.head == len(first) {
		q.blocks[0] = nil
		q.blocks, q.head = q.blocks[1:], 0
	}
}

// take empties the queue. The events belong to whoever holds them from then on, so the blocks are not used again: the next one is made
// as large as this batch turned out to be, and a reader that keeps up pays for one event at a time.
func (q *queue) take() [][]queued {
	blocks := q.blocks
	blocks[0] = blocks[0][q.head:]
	q.room = maxRoom
	if len(blocks) == 1 {
		q.room = len(blocks[0])
	}
	last := blocks[len(blocks)-1]
	q.from, q.to, q.begin = blocks[0][0].event.Seq, last[len(last)-1].event.Seq, blocks[0][0].behind
	q.blocks, q.head, q.bytes = nil, 0, 0
	return blocks
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
