package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// chunks holds the chunks of a streamed result until they are read. Job.mu guards it.
type chunks struct {
	limit    int
	order    order                   // of all events of the job: a chunk that is left out is fetched, as they are
	items    []*arcp.ResultChunkBody // nil is a restart of the agent
	bytes    int
	complete bool  // all that will ever come is in items, or was
	err      error // why no more will come
	closed   bool  // nobody will read it

	taken   bool // ResultReader was called
	waiting bool
	ready   chan struct{} // holds one token at most
}

func (c *chunks) wake() {
	if c.waiting {
		c.waiting = false
		c.ready <- struct{}{}
	}
}

// push takes a chunk. One that is too many waits at the runtime, if it can be had from there again.
func (c *chunks) push(p *arcp.ResultChunkBody, seq, index uint64, again bool) {
	if c.closed || c.complete || c.err != nil || !c.order.admit(seq, index) {
		return
	}
	if c.bytes+len(p.Data) > c.limit && len(c.items) > 0 {
		if again {
			c.order.behind = true
			return
		}
		c.fail(fmt.Errorf("%w: the result, unread past ResultBytes", ErrEventsShed))
		c.items, c.bytes = nil, 0 // a result with a hole is none, so the rest is not kept either
		return
	}
	c.order.take(index)
	c.items = append(c.items, p)
	c.bytes += len(p.Data)
	c.wake()
}

// restart notes that the agent begins anew.
func (c *chunks) restart(seq, index uint64) {
	if c.closed || c.complete || c.err != nil || !c.order.admit(seq, index) {
		return
	}
	c.order.take(index)
	c.items = append(c.items, nil)
}

// finish takes the job's end.
func (c *chunks) finish(seq, index uint64) {
	c.complete = c.complete || c.order.admit(seq, index) && c.err == nil
	c.wake()
}

// fail says why no more comes, unless all has come.
func (c *chunks) fail(err error) {
	if !c.complete && c.err == nil {
		c.err = err
	}
	c.wake()
}

// awaited says whether somebody waits for what has not come.
func (c *chunks) awaited() bool { return c.taken && !c.closed && !c.complete && c.err == nil }

// cutResult ends the reading of the job's result: frames of the job go to another Job from now on.
func (j *Job) cutResult() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.chunks.fail(fmt.Errorf("%w: the result of job %s, which was asked for anew", ErrEventsShed, j.id))
}

// ResultReader returns the job's result as a stream: the data of its chunks in order, as they come, or the JSON text of an inline result.
// It ends with io.EOF only once the job has succeeded and the result was whole; with ErrResult when it was not; and as Result does
// for a job that failed. ctx bounds the reading, and its end fails it.
//
// What goes unread past Options.ResultBytes is fetched again from the runtime when its turn comes, and so is a result that began before the
// job was followed. Where the runtime cannot do that, or keeps it no longer, and where the job was read to its end and asked for anew
// meanwhile, the stream ends with ErrEventsShed.
//
// An agent that runs again after its runtime was restarted streams its result anew: what was not read yet of the one before is left out, and
// a reader that has read of it ends with ErrResult.
//
// It can be had once, before the job's end or after it, and beside Events. It is read by one goroutine; Close may be called by another.
func (j *Job) ResultReader(ctx context.Context) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	c := &j.chunks
	if c.taken {
		return nil, ErrBusy
	}
	c.taken, c.ready = true, make(chan struct{}, 1)
	r := &resultReader{job: j, stop: make(chan struct{})}
	r.release = context.AfterFunc(ctx, func() { r.fail(ctx.Err()) })
	return r, nil
}

// resultReader puts a result together.
type resultReader struct {
	job     *Job
	release func() bool // stops watching the context

	once    sync.Once
	stop    chan struct{} // closed by fail
	stopErr error         // written before

	items []*arcp.ResultChunkBody // taken, not yet read
	text  string                  // what is left of the current chunk, as text
	data  []byte                  // or as bytes

	id   string
	next uint64 // chunk_seq
	size uint64 // bytes so far
	last bool   // the chunk with more:false came

	given bool  // some of it was read
	end   error // what is left to say once text and data are read
}

// errReaderClosed is the error of Read after Close.
var errReaderClosed = errors.New("client: result reader closed")

func (r *resultReader) fail(err error) {
	r.once.Do(func() {
		r.stopErr = err
		close(r.stop)
	})
}

// Close ends the reading; what was not read is dropped.
func (r *resultReader) Close() error {
	r.release()
	r.fail(errReaderClosed)
	r.job.mu.Lock()
	defer r.job.mu.Unlock()
	c := &r.job.chunks
	c.closed, c.items, c.bytes = true, nil, 0
	return nil
}

func (r *resultReader) Read(p []byte) (int, error) {
	for {
		select {
		case <-r.stop:
			return 0, r.stopErr
		default:
		}
		if n := r.copy(p); n > 0 || len(p) == 0 {
			return n, nil
		}
		switch {
		case r.end != nil:
			return 0, r.end
		case len(r.items) > 0:
			c := r.items[0]
			r.items[0] = nil
			r.items = r.items[1:]
			r.end = r.open(c)
		default:
			r.fetch()
		}
	}
}

func (r *resultReader) copy(p []byte) int {
	r.given = r.given || r.text != "" || len(r.data) > 0
	if r.text != "" {
		n := copy(p, r.text)
		r.text = r.text[n:]
		return n
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n
}

// fetch takes the chunks that came, asks or waits for some, or finds out how the job ended.
func (r *resultReader) fetch() {
	wait, ask := r.take()
	if ask {
		go func() { _ = r.job.fetch(context.Background(), &r.job.chunks.order) }() // ends with the session at the latest
	}
	if wait {
		select {
		case <-r.job.chunks.ready:
		case <-r.stop:
		}
	}
}

// take takes what is there. It says whether there is something to wait for, and to ask for.
func (r *resultReader) take() (wait, ask bool) {
	j, c := r.job, &r.job.chunks
	j.mu.Lock()
	defer j.mu.Unlock()
	r.items, c.items, c.bytes = r.current(c.items), nil, 0
	switch {
	case len(r.items) > 0:
		return false, false
	case c.complete, j.over && (j.err != nil || j.result.ResultID == ""):
		r.end = r.finish()
		return false, false
	case c.err != nil:
		r.end = c.err
		return false, false
	case c.order.ask():
		if !j.session.jobs.recall(j) {
			c.fail(fmt.Errorf("%w: the result of job %s, which was asked for anew", ErrEventsShed, j.id))
			return false, false
		}
		ask = true
	}
	select {
	case <-c.ready: // of a wait that was given up
	default:
	}
	c.waiting = true
	return true, ask
}

// current leaves out what precedes the last restart of the agent, whose result begins anew (§8.4). Once something was read it is too late for
// that.
func (r *resultReader) current(items []*arcp.ResultChunkBody) []*arcp.ResultChunkBody {
	last := len(items) - 1
	for last >= 0 && items[last] != nil {
		last--
	}
	switch {
	case last < 0:
		return items
	case r.given:
		return slices.DeleteFunc(items, func(c *arcp.ResultChunkBody) bool { return c == nil })
	}
	r.id, r.next, r.size, r.last, r.text, r.data = "", 0, 0, false, "", nil
	return items[last+1:]
}

// open makes a chunk the current one if it is the right one (§8.4).
func (r *resultReader) open(c *arcp.ResultChunkBody) error {
	switch {
	case r.next > 0 && c.ResultID != r.id:
		return fmt.Errorf("%w: chunk of result %s inside of result %s", ErrResult, c.ResultID, r.id)
	case c.ChunkSeq != r.next:
		return fmt.Errorf("%w: chunk %d of result %s where %d was next", ErrResult, c.ChunkSeq, c.ResultID, r.next)
	case r.last:
		return fmt.Errorf("%w: chunk %d of result %s follows the last", ErrResult, c.ChunkSeq, c.ResultID)
	}
	r.id, r.last = c.ResultID, !c.More
	r.next++
	switch c.Encoding {
	case arcp.EncodingUTF8:
		r.text = c.Data
	case arcp.EncodingBase64:
		data, err := base64.StdEncoding.DecodeString(c.Data)
		if err != nil {
			return fmt.Errorf("%w: chunk %d of result %s: %w", ErrResult, c.ChunkSeq, c.ResultID, err)
		}
		r.data = data
	default:
		return fmt.Errorf("%w: chunk %d of result %s has encoding %q", ErrResult, c.ChunkSeq, c.ResultID, c.Encoding)
	}
	r.size += uint64(len(r.text) + len(r.data))
	return nil
}

// finish compares what was read with what the job says at its end.
func (r *resultReader) finish() error {
	j := r.job
	if j.err != nil {
		return j.err
	}
	res := j.result
	switch {
	case res.ResultID == "" && r.next > 0:
		return fmt.Errorf("%w: chunks of %s, and an inline result", ErrResult, r.id)
	case res.ResultID == "":
		r.data = res.Result
		if r.data == nil {
			r.data = res.Output
		}
	case res.ResultID != r.id:
		return fmt.Errorf("%w: chunks of %q, the job names %q", ErrResult, r.id, res.ResultID)
	case !r.last:
		return fmt.Errorf("%w: the last chunk of result %s did not come", ErrResult, r.id)
	case res.ResultSize != nil && *res.ResultSize != r.size:
		return fmt.Errorf("%w: result %s is %d bytes long, %d came", ErrResult, r.id, *res.ResultSize, r.size)
	}
	return io.EOF
}
