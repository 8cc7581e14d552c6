package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// chunks holds the chunks of a streamed result until they are read. Job.mu guards it.
type chunks struct {
	limit  int
	items  []*arcp.ResultChunkBody
	bytes  int
	last   uint64 // the index of the last event they came in: what comes again is not for them
	shed   bool   // the result is past saving
	closed bool   // nobody will read it

	taken   bool // ResultReader was called
	waiting bool
	ready   chan struct{} // holds one token at most
}

func (c *chunks) push(p *arcp.ResultChunkBody, index uint64) {
	if c.shed || c.closed || index > 0 && index <= c.last {
		return
	}
	c.last = index
	c.items = append(c.items, p)
	c.bytes += len(p.Data)
	if c.bytes > c.limit {
		c.shed, c.items, c.bytes = true, nil, 0 // a result with a hole is none, so the rest is not kept either
	}
	if c.waiting {
		c.waiting = false
		c.ready <- struct{}{}
	}
}

// ResultReader returns the job's result as a stream: the data of its chunks in order, as they come, or the JSON text of an inline result.
// It ends with io.EOF only once the job has succeeded and the result was whole; with ErrResult when it was not; with ErrEventsShed when
// more than Options.ResultBytes went unread; and as Result does for a job that failed. ctx bounds the reading, and its end fails it.
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
	end  error  // what is left to say once text and data are read
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
	if r.text != "" {
		n := copy(p, r.text)
		r.text = r.text[n:]
		return n
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n
}

// fetch takes the chunks that came, waits for some, or finds out how the job ended.
func (r *resultReader) fetch() {
	j := r.job
	ended := false
	select {
	case <-j.done: // looked at before the chunks, which nothing is added to afterwards
		ended = true
	default:
	}
	j.mu.Lock()
	c := &j.chunks
	r.items, c.items, c.bytes = c.items, nil, 0
	shed := c.shed
	wait := len(r.items) == 0 && !shed && !ended
	if wait {
		select {
		case <-c.ready:
		default:
		}
	}
	c.waiting = wait
	j.mu.Unlock()
	switch {
	case shed:
		r.end = fmt.Errorf("%w: the result of job %s", ErrEventsShed, j.id)
	case wait:
		select {
		case <-c.ready:
		case <-j.done:
		case <-r.stop:
		}
	case len(r.items) == 0:
		r.end = r.finish()
	}
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
