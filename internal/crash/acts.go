package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// clashing is the tag of submits whose key is another submit's.
const clashing = "clash"

// mostJobs is how many jobs a client follows at a time.
const mostJobs = 8

// act does one thing after the other until finish is closed. What waits for the server does so beside the others.
func (a *actor) act(ctx context.Context, rng *rand.Rand, finish <-chan struct{}) {
	slots := make(chan struct{}, 4)
	for {
		select {
		case <-finish:
			for range cap(slots) {
				slots <- struct{}{}
			}
			return
		case <-a.session.Done():
			return
		case <-time.After(time.Duration(rng.IntN(30)) * time.Millisecond):
		}
		a.made++
		do := a.choose(rng)
		select {
		case slots <- struct{}{}:
			go func() {
				defer func() { <-slots }()
				do(ctx)
			}()
		case <-finish:
		}
	}
}

// choose decides what is done next. All that is left to chance is decided here, by the seed.
func (a *actor) choose(rng *rand.Rand) func(context.Context) {
	pick, roll := rng.IntN(1<<20), rng.IntN(100)
	p := a.newSubmit(rng)
	from := uint64(rng.IntN(20))
	switch {
	case roll < 35 && a.following() < mostJobs:
		return func(ctx context.Context) { a.submit(ctx, p) }
	case roll < 50:
		return func(ctx context.Context) { a.again(ctx, pick) }
	case roll < 55:
		return func(ctx context.Context) { a.clash(ctx, pick) }
	case roll < 70:
		return func(ctx context.Context) { a.watch(ctx, pick, from) }
	case roll < 85:
		return a.list
	case roll < 93:
		return func(ctx context.Context) { a.cancel(ctx, pick) }
	case roll < 96:
		return func(ctx context.Context) { a.unfollow(ctx, pick) }
	}
	return a.goOn
}

func (a *actor) newSubmit(rng *rand.Rand) *arcp.JobSubmit {
	w := work{
		Events: 1 + rng.IntN(40), GapMS: rng.IntN(12), Pad: rng.IntN(200), Result: rng.IntN(500),
		Tag: fmt.Sprintf("%s-%d-%d", a.name, a.life, a.made),
	}
	switch rng.IntN(40) {
	case 0:
		w.Result = arcp.LimitFrameOut + 200_000 // which is streamed
	case 1, 2:
		w.Events, w.GapMS, w.Pad = 300, 0, 3000 // faster than anybody writes
	}
	p := &arcp.JobSubmit{Agent: agentAgain, IdempotencyKey: "key-" + w.Tag}
	if rng.IntN(3) == 0 {
		p.Agent = agentOnce
	}
	if rng.IntN(25) == 0 {
		w.Events, w.GapMS, p.MaxRuntimeSec = 60, 30, new(uint64(1)) // less than it takes
	}
	p.Input = w.input()
	return p
}

func (w *work) input() arcp.RawJSON {
	text, err := json.Marshal(w)
	if err != nil {
		panic(err) // it is made of numbers and a text
	}
	return text
}

// submit asks for a job. Without an answer it stays open, and is asked again.
func (a *actor) submit(ctx context.Context, p *arcp.JobSubmit) {
	a.mem.submitted(p)
	job, err := a.session.Submit(ctx, p)
	if err != nil {
		a.refused("submit "+p.IdempotencyKey, err)
		return
	}
	if before := a.mem.accepted(p.IdempotencyKey, job.ID()); before != "" && before != job.ID() {
		a.diary.fault("the key %s had the job %s and has %s", p.IdempotencyKey, before, job.ID())
	}
	a.follow(ctx, job, false)
}

// again makes a submit that was made before.
func (a *actor) again(ctx context.Context, pick int) {
	if p, _, ok := a.mem.some(pick); ok {
		a.submit(ctx, &p)
	}
}

// clash makes another submit with a key that is in use, which must be refused.
func (a *actor) clash(ctx context.Context, pick int) {
	p, job, ok := a.mem.some(pick)
	if !ok || job == "" {
		return
	}
	p.Input = (&work{Events: 1, Tag: clashing}).input()
	switch _, err := a.session.Submit(ctx, &p); {
	case err == nil:
		a.diary.fault("the key %s was taken for two inputs", p.IdempotencyKey)
	case !errors.Is(err, arcp.CodeDuplicateKey):
		a.refused("clash "+p.IdempotencyKey, err)
	}
}

// list reads the list of jobs: all that this client was told of must be on it.
func (a *actor) list(ctx context.Context) {
	known := a.mem.known()
	rows, err := a.rows(ctx)
	if err != nil {
		a.refused("list", err)
		return
	}
	for _, id := range known {
		if _, ok := rows[id]; !ok {
			a.diary.fault("the list lacks the job %s", id)
		}
	}
}

func (a *actor) rows(ctx context.Context) (map[string]*arcp.JobSummary, error) {
	rows := map[string]*arcp.JobSummary{}
	for row, err := range a.session.Jobs(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if rows[row.JobID] != nil {
			a.diary.fault("the list has the job %s twice", row.JobID)
		}
		rows[row.JobID] = row
	}
	return rows, nil
}

// watch follows a job of the principal, whoever submitted it, from somewhere.
func (a *actor) watch(ctx context.Context, pick int, from uint64) {
	rows, err := a.rows(ctx)
	if err != nil || len(rows) == 0 || a.following() >= mostJobs {
		return
	}
	for id, row := range rows { // any
		if pick--; pick%len(rows) != 0 || a.follows(id) {
			continue
		}
		from = min(from, row.LastEventSeq)
		a.pass(id, from)
		job, err := a.session.Subscribe(ctx, id, &client.SubscribeOptions{History: true, From: from})
		switch {
		case err == nil:
			a.follow(ctx, job, true)
		case a.lossy && firstKept(err) > 0:
		case errors.Is(err, arcp.CodeJobNotFound): // it may be about to be accepted
			a.diary.note(entry{Unknown: id})
		default:
			a.refused("subscribe to "+id, err)
		}
		return
	}
}

// cancel ends a job of this client. One that has ended meanwhile is none to cancel; one of a session that is no more may not be.
func (a *actor) cancel(ctx context.Context, pick int) {
	job := a.one(pick)
	if job == nil {
		return
	}
	err := job.Cancel(ctx, "for the test")
	switch {
	case err == nil, errors.Is(err, arcp.CodeInvalidRequest), a.cold && errors.Is(err, arcp.CodePermissionDenied):
	case !a.isMine(job.ID()) && errors.Is(err, arcp.CodePermissionDenied):
	default:
		a.refused("cancel "+job.ID(), err)
	}
}

func (a *actor) unfollow(ctx context.Context, pick int) {
	if job := a.one(pick); job != nil && !a.isMine(job.ID()) {
		_ = job.Unsubscribe(ctx)
	}
}

func (a *actor) isMine(job string) bool {
	a.mem.mu.Lock()
	defer a.mem.mu.Unlock()
	return a.mem.mine[job]
}

func (a *actor) following() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.reading)
}

func (a *actor) follows(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reading[id] != nil
}

// one is a job that is being read, nil when there is none.
func (a *actor) one(pick int) *client.Job {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, job := range a.reading { // any
		if pick--; pick%len(a.reading) == 0 {
			return job
		}
	}
	return nil
}

// follow reads a job to its end, beside all else, unless somebody does.
func (a *actor) follow(ctx context.Context, job *client.Job, begin bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reading[job.ID()] != nil {
		return
	}
	a.reading[job.ID()] = job
	a.readers.Go(func() {
		a.read(ctx, job, begin)
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.reading, job.ID())
	})
}

func (a *actor) read(ctx context.Context, job *client.Job, begin bool) {
	stream := int(a.streams.Add(1))
	for {
		ev, err := job.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			a.ended(ctx, job)
			return
		case a.lossy && errors.Is(err, client.ErrEventsShed):
			begin = true
			a.pass(job.ID(), max(firstKept(err), 1)-1) // before Next is called again: then the next life is not told
			continue
		case err != nil:
			a.refused("read "+job.ID(), err)
			return
		}
		index := indexIn(ev.ID)
		if index == 0 {
			continue // a note to this session alone
		}
		a.mem.progress(job.ID(), index)
		a.diary.note(entry{Read: &reading{job.ID(), index, stream, begin, digest(ev.Body)}})
		begin = false
	}
}

// pass notes that a later life may begin to read a job behind an index, though this one is killed before it is handed an event.
func (a *actor) pass(job string, index uint64) { a.diary.note(entry{Passed: &passing{job, index}}) }

func (a *actor) ended(ctx context.Context, job *client.Job) {
	_, _ = job.Result(ctx)
	a.diary.note(entry{Ended: &ending{job.ID(), string(job.Status())}})
	a.mem.finished(job.ID())
}

// indexIn is the place in the job's log that the id of an event tells, 0 for none.
func indexIn(id string) uint64 {
	_, number, _ := strings.Cut(id, ".")
	index, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0
	}
	return index
}

// digest stands for the body of an event.
func digest(b arcp.EventBody) string {
	text, err := b.AppendJSON(nil)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
