package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/convo"
	"github.com/arcpkit/arcp/pkg/transport"
)

func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/sessions/client/*.txtar")
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
				h := &host{dials: make(chan transport.Conn, 1), calls: map[string]*call{}, jobs: map[string]*Job{}, readers: map[string]*io.PipeReader{}}
				defer h.end(t)
				script.PlayDial(t, convo.Runtime, h.listen, h)
			})
		})
	}
}

// host does what the actions of a conversation say. An action that waits for frames is a call; another action awaits its end.
type host struct {
	dials   chan transport.Conn // what the next dial gives
	session *Session
	former  []*Session // that another went on with
	state   State
	listing []string
	event   *arcp.Event
	calls   map[string]*call
	jobs    map[string]*Job
	readers map[string]*io.PipeReader
}

// listen waits for the client's next dial.
func (h *host) listen() (transport.Conn, error) {
	runtime, conn := transport.Pipe()
	select {
	case h.dials <- conn:
		return runtime, nil
	case <-time.After(time.Hour):
		return nil, errors.New("the client does not dial")
	}
}

func (h *host) dial(ctx context.Context) (transport.Conn, error) {
	select {
	case c := <-h.dials:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// end leaves no goroutine in the bubble: a session whose runtime is gone would look for it.
func (h *host) end(t *testing.T) {
	for _, s := range append(h.former, h.session) {
		if s != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_ = s.Close(ctx)
		}
	}
}

type call struct {
	done   chan struct{}
	cancel context.CancelFunc
	job    *Job // of a submit
	err    error
}

func (h *host) begin(t *testing.T, name string, f func(ctx context.Context, c *call) error) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &call{done: make(chan struct{}), cancel: cancel}
	h.calls[name] = c
	go func() {
		defer cancel()
		defer close(c.done)
		c.err = f(ctx, c)
	}()
}

// await returns how a call ended.
func (h *host) await(name string) error {
	c := h.calls[name]
	if c == nil {
		return fmt.Errorf("no call %q", name)
	}
	select {
	case <-c.done:
	case <-time.After(time.Hour):
		return fmt.Errorf("%s has not ended", name)
	}
	delete(h.calls, name)
	return c.err
}

func (h *host) awaitError(name, want string) error {
	err := h.await(name)
	if err == nil || !strings.Contains(err.Error(), want) {
		return fmt.Errorf("error %v, want %q", err, want)
	}
	return nil
}

func (h *host) Do(t *testing.T, verb, args string) error {
	name, rest, _ := strings.Cut(args, " ")
	switch verb {
	case "connect":
		return h.connect(t, args)
	case "state":
		data, err := h.session.State().MarshalBinary()
		return errors.Join(err, h.state.UnmarshalBinary(data))
	case "resume":
		h.former = append(h.former, h.session)
		return h.connect(t, args)
	case "connected":
		return errors.Join(h.await("connect"), equal("session", h.session.ID(), args))
	case "unconnected":
		return h.awaitError("connect", args)
	case "submit":
		return h.submit(t, name, rest)
	case "attach":
		h.begin(t, "submit "+name, func(ctx context.Context, c *call) (err error) {
			c.job, err = h.session.Attach(ctx, rest)
			return err
		})
		return nil
	case "subscribe":
		id, from, history := strings.Cut(rest, " from ")
		o := &SubscribeOptions{History: history}
		if history {
			if _, err := fmt.Sscan(from, &o.From); err != nil {
				return err
			}
		}
		h.begin(t, "submit "+name, func(ctx context.Context, c *call) (err error) {
			c.job, err = h.session.Subscribe(ctx, id, o)
			return err
		})
		return nil
	case "unsubscribe":
		return h.jobs[name].Unsubscribe(t.Context())
	case "list":
		h.begin(t, "list", h.list)
		return nil
	case "unlisted":
		return h.awaitError("list", args)
	case "listed":
		return errors.Join(h.await("list"), equal("jobs", strings.Join(h.listing, " "), args))
	case "accepted":
		c := h.calls["submit "+name]
		if err := h.await("submit " + name); err != nil {
			return err
		}
		h.jobs[name] = c.job
		return equal("job", c.job.ID(), rest)
	case "rejected":
		return h.awaitError("submit "+name, rest)
	case "abandon":
		h.calls["submit "+name].cancel()
		return h.awaitError("submit "+name, "context canceled")
	case "cancel":
		j := h.jobs[name]
		h.begin(t, "cancel "+name, func(ctx context.Context, _ *call) error { return j.Cancel(ctx, rest) })
		return nil
	case "cancelled":
		return h.await("cancel " + name)
	case "uncancelled":
		return h.awaitError("cancel "+name, rest)
	case "close":
		h.begin(t, "close", func(ctx context.Context, _ *call) error { return h.session.Close(ctx) })
		return nil
	case "closed":
		return h.await("close")
	case "agents":
		return equal("agents", fmt.Sprint(h.session.Agents()), args)
	case "between":
		synctest.Wait()
		return equal("links", fmt.Sprint(h.session.current()), "<nil>")
	case "err":
		<-h.session.Done()
		return contains(h.session.Err(), args)
	case "jobs":
		synctest.Wait()
		return equal("jobs held", fmt.Sprint(len(h.session.jobs.byID)), args)
	case "read_ahead": // Next, while the conversation goes on
		j := h.jobs[name]
		h.begin(t, "read "+name, func(ctx context.Context, _ *call) (err error) {
			h.event, err = j.Next(ctx)
			return err
		})
		return nil
	case "read_done":
		if err := h.await("read " + name); err != nil {
			return err
		}
		return equal("event", fmt.Sprint(h.event.Kind, " ", h.event.Seq), rest)
	case "read_fails":
		return h.awaitError("read "+name, rest)
	}
	return h.look(t, h.jobs[name], verb, rest)
}

// look does the actions that look at a job.
func (h *host) look(t *testing.T, j *Job, verb, args string) error {
	switch verb {
	case "event":
		ev, err := j.Next(t.Context())
		if err != nil {
			return err
		}
		return equal("event", fmt.Sprint(ev.Kind, " ", ev.Seq), args)
	case "end":
		_, err := j.Next(t.Context())
		return contains(err, io.EOF.Error())
	case "nexterr":
		_, err := j.Next(t.Context())
		return contains(err, args)
	case "result":
		r, err := j.Result(t.Context())
		if err != nil {
			return err
		}
		return equal("result", string(r.Result), args)
	case "fails":
		r, err := j.Result(t.Context())
		if r != nil {
			return fmt.Errorf("result %v of a job that failed", r)
		}
		if lost := strings.Contains(args, "link lost"); errors.Is(err, ErrLinkLost) != lost || arcp.IsRemote(err) == lost {
			return fmt.Errorf("%v takes a lost link for a failed job, or the other way round", err)
		}
		return contains(err, args)
	case "status":
		return equal("status", string(j.Status()), args)
	case "data":
		data, err := readAll(t, j)
		return errors.Join(err, equal("data", string(data), args))
	case "dataerr":
		_, err := readAll(t, j)
		return contains(err, args)
	case "read":
		return h.read(t, j)
	case "bytes":
		buf := make([]byte, len(args))
		_, err := io.ReadFull(h.readers[j.id], buf)
		return errors.Join(err, equal("bytes", string(buf), strings.ReplaceAll(args, "_", " ")))
	case "ended":
		_, err := h.readers[j.id].Read(make([]byte, 1))
		return contains(err, args)
	}
	return fmt.Errorf("no action %q", verb)
}

func (h *host) connect(t *testing.T, options string) error {
	o := &Options{}
	if options != "" {
		if err := json.Unmarshal([]byte(options), o); err != nil {
			return err
		}
	}
	if o.Reconnect == nil {
		o.Reconnect = &Reconnect{Off: true}
	}
	former := len(h.former)
	h.begin(t, "connect", func(ctx context.Context, _ *call) (err error) {
		if former > 0 {
			h.session, err = Resume(ctx, transport.DialerFunc(h.dial), h.state, o)
			return err
		}
		h.session, err = Connect(ctx, transport.DialerFunc(h.dial), o)
		return err
	})
	return nil
}

func (h *host) list(ctx context.Context, _ *call) error {
	for row, err := range h.session.Jobs(ctx, &arcp.JobFilter{Agent: "a"}) {
		if err != nil {
			return err
		}
		h.listing = append(h.listing, row.JobID+":"+string(row.Status))
	}
	return nil
}

func (h *host) submit(t *testing.T, name, payload string) error {
	p, err := arcp.DecodePayload(arcp.TypeJobSubmit, []byte(payload))
	if err != nil {
		return err
	}
	h.begin(t, "submit "+name, func(ctx context.Context, c *call) (err error) {
		c.job, err = h.session.Submit(ctx, p.(*arcp.JobSubmit))
		return err
	})
	return nil
}

// read copies the job's result into a pipe as it comes.
func (h *host) read(t *testing.T, j *Job) error {
	r, err := j.ResultReader(t.Context())
	if err != nil {
		return err
	}
	pr, pw := io.Pipe()
	h.readers[j.id] = pr
	go func() {
		_, err := io.Copy(pw, r)
		_ = pw.CloseWithError(errors.Join(err, r.Close()))
	}()
	return nil
}

func readAll(t *testing.T, j *Job) ([]byte, error) {
	r, err := j.ResultReader(t.Context())
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func equal(what, got, want string) error {
	if got != want {
		return fmt.Errorf("%s %q, want %q", what, got, want)
	}
	return nil
}

func contains(err error, want string) error {
	if err == nil || !strings.Contains(err.Error(), want) {
		return fmt.Errorf("error %v, want %q", err, want)
	}
	return nil
}
