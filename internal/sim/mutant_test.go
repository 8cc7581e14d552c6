package sim

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
	"github.com/arcpkit/arcp/pkg/transport/faulty"
)

// mutant is a store with a bug in it. What is nil is as it should be.
type mutant struct {
	store.Store
	commit func(store.Store, *store.Batch) error
	read   func(store.Key, [][]byte) // changes the records that are read
}

func (m *mutant) Commit(ctx context.Context, b *store.Batch) error {
	if m.commit != nil {
		return m.commit(m.Store, b)
	}
	return m.Store.Commit(ctx, b)
}

func (m *mutant) Read(ctx context.Context, key store.Key, from uint64, maxBytes int) ([]store.Segment, error) {
	segs, err := m.Store.Read(ctx, key, from, maxBytes)
	if m.read == nil || err != nil || len(segs) == 0 {
		return segs, err
	}
	var recs [][]byte
	for i := range segs {
		for k := range segs[i].Len() {
			recs = append(recs, slices.Clone(segs[i].Record(k)))
		}
	}
	m.read(key, recs)
	out := store.Segment{First: segs[0].First}
	for _, rec := range recs {
		out.Data = append(out.Data, rec...)
		out.Ends = append(out.Ends, uint32(len(out.Data)))
	}
	return []store.Segment{out}, nil
}

// What is first in the records of a session; see the journal, where values are stored.
const (
	recordSpan = 34
	recordTail = 36
)

// forget makes nothing of the span records of sessions, of all or of the last.
func forget(all bool) func(store.Key, [][]byte) {
	return func(key store.Key, recs [][]byte) {
		if key.Kind != store.KindSession {
			return
		}
		for _, rec := range slices.Backward(recs) {
			if rec[0] == recordSpan {
				rec[0], rec[1] = recordTail, 0
				if !all {
					return
				}
			}
		}
	}
}

// unfenced commits what a newer owner forbids.
func unfenced(s store.Store, b *store.Batch) error {
	ctx := context.Background()
	err := s.Commit(ctx, b)
	var refused *store.BatchError
	for errors.As(err, &refused) && errors.Is(refused.Err, store.ErrFenced) {
		rest := store.Batch{Ops: slices.Clone(b.Ops[refused.Done:])}
		op := &rest.Ops[0]
		head, e := s.Lookup(ctx, op.Key)
		if e != nil {
			return e
		}
		op.Epoch, op.Head, op.Append.First = head.Epoch, head.Records, head.Records+1
		b = &rest
		err = s.Commit(ctx, b)
	}
	return err
}

// moved plays a conversation of two clients with two nodes, one of which is counted as dead while it works. The owner goes from the one to
// the other, cancels a job across, and comes back after the takeover with much to hear again.
func moved(t *testing.T, m mutant) []invariant.Violation {
	w := openWith(t, shared, m)
	a, b := w.node(0), w.node(1)
	owner := w.scriptedAt(a, 1)
	jobs := owner.submitThree()
	observer := w.scriptedAt(b, 2)
	observer.say(&arcp.JobSubscribe{JobID: jobs[1], History: true})
	time.Sleep(4 * time.Second)
	owner.move(b, 2)
	owner.say(&arcp.JobCancel{JobID: jobs[0]})
	owner.move(a, 2)
	time.Sleep(3 * time.Second)
	w.bury()
	a.lose(15 * time.Second)
	w.remove(a)
	owner.move(b, 1000)
	return w.conclude(jobs)
}

// reborn plays a conversation of one client with a runtime that is killed in the middle, and with the next.
func reborn(t *testing.T, m mutant) []invariant.Violation {
	w := openWith(t, restarted, m)
	first := w.node(0)
	owner := w.scriptedAt(first, 1)
	jobs := owner.submitThree()
	owner.say(&arcp.JobCancel{JobID: jobs[0]})
	time.Sleep(6 * time.Second) // the last event before is one of the third job
	w.remove(first)
	w.bury()
	first.kill()
	time.Sleep(time.Second)
	owner.move(w.start(), 1000)
	return w.conclude(jobs)
}

// conclude lets everything come to its end, reads it once more and judges.
func (w *world) conclude(jobs []string) []invariant.Violation {
	time.Sleep(2 * time.Minute)
	late := w.scriptedAt(w.node(0), 3)
	for _, id := range jobs {
		late.say(&arcp.JobSubscribe{JobID: id, History: true})
	}
	w.shutdown(time.Minute)
	return invariant.Check(w.runtimes.Trace(), invariant.Options{Principal: principalOf, Whole: true, Died: true})
}

func openWith(t *testing.T, k kind, m mutant) *world {
	w := blank(t, 0, k)
	w.mutate = func(s store.Store) store.Store {
		mine := m
		mine.Store = s
		return &mine
	}
	w.opts.Shared, w.opts.OrphanScan = k == shared, time.Second
	w.start()
	if k == shared {
		w.start()
	}
	return w
}

// scriptedAt is a client at one node that does nothing by chance.
func (w *world) scriptedAt(n *node, actor uint64) *bare {
	b := newBare(w, actor, "alice")
	b.features = arcp.Features()
	b.move(n, 0)
	return b
}

// submitThree starts a job that waits for its cancel and two that are at work at the same time, one of which may run again.
func (b *bare) submitThree() []string {
	b.say(&arcp.JobSubmit{Agent: "work@1.0.0", Input: arcp.RawJSON(`{"seed":1,"steps":2,"manner":"forever"}`)})
	b.say(&arcp.JobSubmit{Agent: "work@1.0.0", Input: arcp.RawJSON(`{"seed":2,"steps":40,"pause":900,"manner":"result"}`)})
	b.say(&arcp.JobSubmit{Agent: "work@2.0.0", Input: arcp.RawJSON(`{"seed":3,"steps":40,"pause":900,"manner":"chunks"}`)})
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	return slices.Clone(b.w.jobs)
}

// move links the session to a node, some events behind where it is; or opens it there.
func (b *bare) move(n *node, behind uint64) {
	var r *arcp.Resume
	if b.line != nil {
		b.line.close()
		b.mu.Lock()
		r = &arcp.Resume{SessionID: b.id, ResumeToken: arcp.MakeSecret(b.token), LastEventSeq: b.last - min(b.last, behind)}
		b.mu.Unlock()
	}
	b.line = b.dialAt(n, faulty.Plan{}, r)
	if b.line.open() {
		b.line.patient()
	}
	b.pause()
}

// Bugs in what runtimes owe to the store and to those that come after them, seen in the frames of a conversation. guards A4, A14, A19
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rule invariant.Rule
		play func(*testing.T, mutant) []invariant.Violation
		mutant
	}{
		{"nodes", "", moved, mutant{}},
		{"a fence that does not fence", invariant.OneEnd, moved, mutant{commit: unfenced}},
		{"a takeover that forgets spans", invariant.Numbers, moved, mutant{read: forget(true)}},
		{"a takeover that forgets the last span", invariant.Numbers, moved, mutant{read: forget(false)}},
		{"restart", "", reborn, mutant{}},
		{"a restart that forgets spans", invariant.Numbers, reborn, mutant{read: forget(true)}},
		{"a restart that gives numbers twice", invariant.Numbers, reborn, mutant{read: forget(false)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				found := tt.play(t, tt.mutant)
				switch {
				case tt.rule == "" && len(found) > 0:
					t.Errorf("Check = %v, want nothing", found)
				case tt.rule != "" && !slices.ContainsFunc(found, func(v invariant.Violation) bool { return v.Rule == tt.rule }):
					t.Errorf("Check = %v, want a violation of %s", found, tt.rule)
				}
			})
		})
	}
}
