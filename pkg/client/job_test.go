package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// guards K1: nobody reads the events of one job, and everything else goes on.
func TestAReaderThatStopsHoldsUpNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, &Options{EventBytes: 64 << 10})
		unread, other := start(t, s, p, "unread"), start(t, s, p, "other")
		text := strings.Repeat("x", 1000)
		const n = 2000
		for i := range n {
			p.thought("job_unread", text)
			if i%100 == 0 {
				p.thought("job_other", fmt.Sprint(i))
			}
		}
		for i := 0; i < n; i += 100 {
			ev, err := other.Next(t.Context())
			if err != nil || ev.Body.(*arcp.ThoughtBody).Text != fmt.Sprint(i) {
				t.Fatalf("the other job's event = %+v, %v, want %d", ev, err, i)
			}
		}
		go func() {
			e := p.read()
			p.send(`{"arcp":"1.1","type":"job.cancelled","session_id":"sess_01","id":"c","job_id":"job_unread",`+
				`"payload":{"job_id":"job_unread","request_id":%q}}`, e.ID)
		}()
		if err := unread.Cancel(t.Context(), "enough"); err != nil {
			t.Errorf("Cancel = %v", err)
		}
		p.result("job_unread", `"result":7`)
		if r, err := unread.Result(t.Context()); err != nil || string(r.Result) != "7" {
			t.Errorf("Result = %v, %v", r, err)
		}
		checkShed(t, unread, n, 64<<10)
	})
}

// checkShed reads what is left of a job of which n events came: a gap first, then the newest, in order, without a further gap.
func checkShed(t *testing.T, j *Job, n, limit int) {
	t.Helper()
	kept, gaps, last := 0, 0, uint64(0)
	for ev, err := range j.Events(t.Context()) {
		switch {
		case errors.Is(err, ErrEventsShed):
			gaps++
			if kept > 0 {
				t.Error("a gap behind events")
			}
		case err != nil:
			t.Fatalf("Events = %v", err)
		default:
			if ev.Seq <= last {
				t.Errorf("event %d after %d", ev.Seq, last)
			}
			last = ev.Seq
			kept++
		}
	}
	if gaps != 1 || kept == 0 || kept*1000 > limit {
		t.Errorf("%d gaps and %d of %d events kept, want one gap and at most %d bytes", gaps, kept, n, limit)
	}
}

func TestShedEventsAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, &Options{EventBytes: 3700})
		j := start(t, s, p, "a")
		text := strings.Repeat("x", 600) // four fit
		for range 10 {
			p.thought("job_a", text)
		}
		synctest.Wait()
		_, err := j.Next(t.Context())
		if !errors.Is(err, ErrEventsShed) || !strings.Contains(err.Error(), "6 of job job_a") {
			t.Errorf("Next = %v, want 6 events shed", err)
		}
		wantNext(t, j, 7, 10)
		for range 4 { // as many as fit again
			p.thought("job_a", text)
		}
		synctest.Wait()
		wantNext(t, j, 11, 14)
		p.thought("job_a", strings.Repeat("x", 10_000)) // more than the limit: the newest is kept
		p.result("job_a", `"result":1`)
		wantNext(t, j, 15, 15)
		if _, err := j.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("Next = %v, want io.EOF", err)
		}
	})
}

// wantNext reads the events from..to.
func wantNext(t *testing.T, j *Job, from, to uint64) {
	t.Helper()
	for want := from; want <= to; want++ {
		if ev, err := j.Next(t.Context()); err != nil || ev.Seq != want {
			t.Errorf("Next = %+v, %v, want event %d", ev, err, want)
		}
	}
}

func TestNextWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		j := start(t, s, p, "a")
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 1)
		next := func(ctx context.Context) {
			_, err := j.Next(ctx)
			got <- err
		}
		go next(ctx)
		synctest.Wait()
		if _, err := j.Next(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("Next beside another = %v, want ErrBusy", err)
		}
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("Next = %v, want the context's error", err)
		}
		// A wait that was given up leaves nothing behind: not a wake-up lost, not one too many.
		for range 3 {
			p.thought("job_a", "one")
			synctest.Wait()
			go next(t.Context())
			if err := <-got; err != nil {
				t.Errorf("Next = %v", err)
			}
			go next(t.Context())
			synctest.Wait()
			p.thought("job_a", "two")
			if err := <-got; err != nil {
				t.Errorf("Next = %v", err)
			}
		}
		go next(t.Context())
		synctest.Wait()
		p.result("job_a", `"result":1`)
		if err := <-got; !errors.Is(err, io.EOF) {
			t.Errorf("Next over the end = %v, want io.EOF", err)
		}
	})
}

// Invariant: an event handed out is not written again, however many follow it.
func TestEventsStayAsTheyWere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		j := start(t, s, p, "a")
		const n = 3000
		go func() {
			for i := range n {
				p.thought("job_a", fmt.Sprint("text ", i+1))
			}
			p.result("job_a", `"result":1`)
		}()
		var held []*arcp.Event
		for ev, err := range j.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, ev)
		}
		if len(held) != n {
			t.Fatalf("%d events, want %d", len(held), n)
		}
		for i, ev := range held {
			if text := ev.Body.(*arcp.ThoughtBody).Text; ev.Seq != uint64(i+1) || text != fmt.Sprint("text ", i+1) || ev.JobID != "job_a" {
				t.Fatalf("event %d is %+v %q now", i+1, ev, text)
			}
		}
	})
}

func TestResultWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		j := start(t, s, p, "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := j.Result(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Result = %v, want the context's error", err)
		}
		p.result("job_a", `"result":1`)
		<-j.Done()
		if r, err := j.Result(ctx); err != nil || r == nil {
			t.Errorf("Result of an ended job = %v, %v, want it whatever the context says", r, err)
		}
	})
}

func TestResultReaderOfAnUnreadResult(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		limit int
		err   error
	}{
		{"kept", 100, nil},
		{"shed", 99, ErrEventsShed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, p := open(t, &Options{ResultBytes: c.limit})
				j := start(t, s, p, "a")
				for i := range 10 {
					p.chunk("job_a", i, strings.Repeat("x", 10), i < 9)
				}
				p.result("job_a", `"result_id":"R","result_size":100`)
				<-j.Done()
				r, err := j.ResultReader(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				data, err := io.ReadAll(r)
				if !errors.Is(err, c.err) || err == nil && len(data) != 100 {
					t.Errorf("%d bytes, %v; want 100 or %v", len(data), err, c.err)
				}
				if _, err := j.ResultReader(t.Context()); !errors.Is(err, ErrBusy) {
					t.Errorf("second ResultReader = %v, want ErrBusy", err)
				}
				_ = r.Close()
			})
		})
	}
}

func TestResultReaderEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(r io.Closer, cancel func(), p *peer)
		want string
	}{
		{"close", func(r io.Closer, _ func(), _ *peer) { _ = r.Close() }, "reader closed"},
		{"context", func(_ io.Closer, cancel func(), _ *peer) { cancel() }, "context canceled"},
		{"link", func(_ io.Closer, _ func(), p *peer) { _ = p.conn.Close("") }, "link lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, p := open(t, nil)
				j := start(t, s, p, "a")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := j.ResultReader(ctx)
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan error, 1)
				go func() {
					_, err := io.ReadAll(r)
					got <- err
				}()
				p.chunk("job_a", 0, "x", true)
				synctest.Wait()
				c.end(r, cancel, p)
				if err := <-got; err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Read = %v, want %q", err, c.want)
				}
				_ = r.Close()
			})
		})
	}
}

func TestAClosedResultReaderKeepsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		j := start(t, s, p, "a")
		r, err := j.ResultReader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		p.chunk("job_a", 0, "x", true)
		synctest.Wait()
		j.mu.Lock()
		defer j.mu.Unlock()
		if len(j.chunks.items) != 0 {
			t.Errorf("%d chunks kept for nobody", len(j.chunks.items))
		}
	})
}

// Invariant: what is handed out is not written again when the next frame of its type is read.
func TestAnswersStayAsTheyWere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, p := open(t, nil)
		a, b := start(t, s, p, "a"), start(t, s, p, "b")
		p.result("job_a", `"result":1,"summary":"one"`)
		p.result("job_b", `"result":2,"summary":"two"`)
		for _, c := range []struct {
			job             *Job
			id, result, sum string
		}{{a, "job_a", "1", "one"}, {b, "job_b", "2", "two"}} {
			<-b.Done()
			r, err := c.job.Result(t.Context())
			if err != nil || string(r.Result) != c.result || r.Summary != c.sum || c.job.Accepted().JobID != c.id {
				t.Errorf("%s: accepted %+v, result %+v, %v", c.id, c.job.Accepted(), r, err)
			}
		}
	})
}
