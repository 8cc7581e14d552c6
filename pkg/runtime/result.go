package runtime

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
)

// ResultWriter streams a job's result as result_chunk events (§8.4). It is an io.WriteCloser whose methods may be called from any
// goroutine. Chunks leave as they fill; Close, which the end of the agent implies, sends the last.
type ResultWriter struct {
	task     *Task
	ctx      context.Context
	id       string
	encoding arcp.ResultEncoding

	json bool // the text is one JSON value, a result too large for a frame

	mu     sync.Mutex
	buf    []byte // not sent yet; at most a chunk and a rune between calls
	text   []byte // scratch of send
	seq    uint64
	total  uint64
	closed bool
	err    error
}

var _ io.WriteCloser = (*ResultWriter)(nil)

// ResultWriter begins to stream the result. UTF-8 text is split between runes; what is not text must be sent as base64. ctx bounds the
// writes. A job has one result: a second call, or one after SetResult, fails.
func (t *Task) ResultWriter(ctx context.Context, encoding arcp.ResultEncoding) (*ResultWriter, error) {
	if encoding != arcp.EncodingUTF8 && encoding != arcp.EncodingBase64 {
		return nil, arcp.NewError(arcp.CodeInvalidRequest, "there is no result encoding %q", string(encoding))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.job.closing.Load():
		return nil, ErrJobOver
	case t.stream != nil || t.set:
		return nil, errMixed
	}
	return t.newStream(ctx, encoding), nil
}

func (t *Task) newStream(ctx context.Context, encoding arcp.ResultEncoding) *ResultWriter {
	t.stream = &ResultWriter{task: t, ctx: ctx, id: arcp.NewID(arcp.PrefixResult), encoding: encoding}
	return t.stream
}

// ID returns the result's id.
func (w *ResultWriter) ID() string { return w.id }

// Write adds to the result. A failed write ends the stream: later calls return the same error.
func (w *ResultWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil {
		return 0, cmp.Or(w.err, io.ErrClosedPipe)
	}
	limit := uint64(w.task.job.rt.opts.Limits.ResultBytes)
	if uint64(len(p)) > limit-min(w.total+uint64(len(w.buf)), limit) {
		w.err = arcp.NewError(arcp.CodeInternalError, "the result is larger than the runtime allows (%d bytes)", limit)
		return 0, w.err
	}
	chunk := int(w.task.job.rt.opts.Limits.ChunkBytes)
	for rest := p; len(rest) > 0 && w.err == nil; {
		n := min(len(rest), chunk+utf8.UTFMax-len(w.buf))
		w.buf, rest = append(w.buf, rest[:n]...), rest[n:]
		if len(w.buf) > chunk { // what is left over is sent by whoever knows whether more follows
			w.err = w.cut(chunk)
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Close sends the last chunk. Closing again returns what the first call did.
func (w *ResultWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil {
		return w.err
	}
	w.closed = true
	for len(w.buf) > 0 && w.err == nil {
		if w.err = w.send(w.buf, false); !errors.Is(w.err, errChunk) {
			break
		}
		w.err = w.cut(len(w.buf) / 2)
	}
	if w.seq == 0 && w.err == nil {
		w.err = w.send(nil, false)
	}
	w.buf = nil
	return w.err
}

// cut sends about the first n bytes of the buffer, fewer when their text form does not fit a frame.
func (w *ResultWriter) cut(n int) error {
	for {
		n = w.boundary(n)
		if n == 0 {
			return errText
		}
		err := w.send(w.buf[:n], true)
		if !errors.Is(err, errChunk) {
			if err == nil {
				w.buf = append(w.buf[:0], w.buf[n:]...)
			}
			return err
		}
		n /= 2
	}
}

var (
	errText  = arcp.NewError(arcp.CodeInvalidRequest, "the result is not UTF-8 text; stream it as base64")
	errChunk = errors.New("runtime: the chunk does not fit a frame")
)

// boundary is n or the end of the last whole rune before it; 0 when there is none, which no text can cause.
func (w *ResultWriter) boundary(n int) int {
	if w.encoding != arcp.EncodingUTF8 || n >= len(w.buf) {
		return n
	}
	for back := 0; back < utf8.UTFMax && n > 0; back++ {
		if utf8.RuneStart(w.buf[n]) {
			return n
		}
		n--
	}
	return 0
}

func (w *ResultWriter) send(p []byte, more bool) error {
	body := arcp.ResultChunkBody{ResultID: w.id, ChunkSeq: w.seq, Encoding: w.encoding, More: more}
	if w.encoding == arcp.EncodingBase64 {
		w.text = base64.StdEncoding.AppendEncode(w.text[:0], p)
		body.Data = string(w.text)
	} else {
		if !utf8.Valid(p) {
			return errText
		}
		body.Data = string(p)
	}
	ev := arcp.JobEvent{Kind: arcp.KindResultChunk, TS: time.Now(), Body: &body}
	err := w.task.job.emit(w.ctx, &ev, nil)
	switch {
	case errors.Is(err, journal.ErrTooLarge):
		return errChunk
	case err != nil:
		return taskError(err)
	}
	w.seq++
	w.total += uint64(len(p))
	return nil
}

// assembleFor puts the streamed result together for the views that did not negotiate chunks, if there are any (§8.4).
func (j *job) assembleFor(ctx context.Context) error {
	t := j.task
	if !t.streams() || !j.rt.seq.Has(j.log, journal.GateChunk) {
		return nil
	}
	if err := j.log.Flush(ctx); err != nil {
		return err
	}
	text, err := assemble(j.log, t.stream.id, t.stream.total, t.stream.json)
	if err != nil && !errors.Is(err, errLarge) && !errors.Is(err, errHole) && !errors.Is(err, journal.ErrOverrun) {
		return err
	}
	t.mu.Lock()
	t.whole = text
	t.mu.Unlock()
	return nil
}

// inlineInstead is the terminal of such a view: the assembled result, or an error when it does not fit a frame.
func (j *job) inlineInstead(res *arcp.JobResult) func([]byte, uint64) ([]byte, journal.Type, error) {
	text := j.task.whole
	return func(dst []byte, index uint64) ([]byte, journal.Type, error) {
		return j.appendInline(dst, index, res, text)
	}
}

func (j *job) appendInline(dst []byte, index uint64, res *arcp.JobResult, text arcp.RawJSON) ([]byte, journal.Type, error) {
	if text != nil && 2*len(text)+resultOverhead <= arcp.LimitFrameOut {
		inline := *res
		inline.ResultID, inline.ResultSize = "", nil
		inline.Result, inline.Output = text, text
		out, err := j.tailOf(&inline)(dst, index)
		return out, journal.TypeResult, err
	}
	refusal := arcp.NewError(arcp.CodeInternalError, "the result does not fit a frame and %s was not negotiated", arcp.FeatureResultChunk)
	out, err := j.tailOf(j.errorPayload(refusal, arcp.StatusError))(dst, index)
	return out, journal.TypeError, err
}

var (
	errLarge = errors.New("runtime: too large for a frame")
	errHole  = errors.New("runtime: the log has dropped a part of the result")
)

// assemble joins the chunks of a result in the log: a streamed JSON value as it is, other text and base64 as a JSON string. What an earlier
// run of the job streamed has another id.
func assemble(l *journal.Log, id string, size uint64, json bool) (arcp.RawJSON, error) {
	if size > arcp.LimitFrameOut {
		return nil, errLarge
	}
	var whole bytes.Buffer
	var encoding arcp.ResultEncoding
	err := l.Chunks(func(c *arcp.ResultChunkBody) error {
		if c.ResultID != id {
			return nil
		}
		encoding = c.Encoding
		if c.Encoding != arcp.EncodingBase64 {
			whole.WriteString(c.Data)
			return nil
		}
		p, err := base64.StdEncoding.DecodeString(c.Data)
		whole.Write(p)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case uint64(whole.Len()) != size:
		return nil, errHole
	case json:
		return whole.Bytes(), nil
	case encoding == arcp.EncodingBase64:
		return dynjson.Marshal(base64.StdEncoding.EncodeToString(whole.Bytes()))
	}
	return dynjson.Marshal(whole.String())
}
