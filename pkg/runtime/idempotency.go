package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/arcpkit/arcp/internal/jsonx"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// submitOnce is submit with an idempotency key (§7.2). The key is looked at before anything that may have changed since the
// first submit, and submits with one key wait for each other.
func (c *connection) submitOnce(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubmit) error {
	key := idemKey(s.principal, p.IdempotencyKey)
	sum, err := fingerprint(p)
	if err != nil {
		c.refuse(e, arcp.NewError(arcp.CodeInvalidRequest, "/payload: %v", err))
		return nil
	}
	unlock := s.rt.submits.lock(key.ID)
	defer unlock()
	for range 2 { // another node may reserve it after the first look
		known, done, refusal := s.rt.known(ctx, key, sum)
		if known != nil && refusal == nil {
			refusal = known.loaded(ctx)
		}
		switch {
		case refusal != nil:
			c.refuse(e, refusal)
		case known != nil:
			err = c.acceptAgain(s, e, known)
		case c.reserveAndAccept(ctx, s, e, p, &reservation{sum: sum}, key):
			continue
		}
		done()
		return err
	}
	c.refuse(e, arcp.NewError(arcp.CodeInternalError, "the idempotency key could not be reserved"))
	return nil
}

// reserveAndAccept submits for the first time. It is true, and nothing was answered, when another node took the key just now.
func (c *connection) reserveAndAccept(ctx context.Context, s *session, e *arcp.Envelope, p *arcp.JobSubmit, r *reservation, key store.Key) (taken bool) {
	reserved := false
	j := c.accept(ctx, s, e, p, func(j *job) *arcp.Error {
		j.keyed = true
		refusal := s.rt.reserve(key, r.sum, j.id)
		reserved, taken = refusal == nil, refusal == errKeyTaken
		return refusal
	})
	if j == nil && reserved {
		s.rt.release(key)
	}
	return taken
}

// errKeyTaken says that another node was faster with a key. It is not answered.
var errKeyTaken = arcp.NewError(arcp.CodeInternalError, "the idempotency key was reserved meanwhile")

// acceptAgain answers as the first time, makes the job the session's own, and gives it history and terminal once more: the
// client may have lost all of it. What it has already it knows by its index.
func (c *connection) acceptAgain(s *session, e *arcp.Envelope, j *job) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.conn.Load() != c {
		return nil // the session went on over another link, where the client asks again
	}
	s.view.Hold()
	defer s.view.Release()
	s.wholeFor(j)
	var out *arcp.Envelope
	answer := func(_, after uint64) []byte {
		accepted := j.accepted(e.ID)
		accepted.AfterEventSeq = after
		again := c.envelope(j.id, j.trace, accepted)
		frame := c.encode(s, again)
		if frame != nil {
			out = again
		}
		return frame
	}
	err := s.rt.seq.Attach(s.view, j.log, 0, answer)
	for errors.Is(err, journal.ErrTrimmed) { // a busy log may drop more while it is asked what it has
		err = s.rt.seq.Attach(s.view, j.log, j.log.First()-1, answer)
	}
	if err != nil || out == nil {
		return nil // the link is about to end, and the client asks again
	}
	s.mu.Lock()
	s.adopted[j.id] = j
	maps.DeleteFunc(s.adopted, func(_ string, j *job) bool { return j.hasEnded() }) // there is nothing more of those to be given
	head, err := s.snapshot()
	s.mu.Unlock()
	if s.rt.lasting && err == nil {
		err = s.rt.seq.Save(s.view, head)
		if errors.Is(err, journal.ErrLost) {
			return nil // and this client asks again where it went on
		}
		if err != nil {
			s.rt.storeError("session cannot be saved", err, "session", s.id)
		}
	}
	c.audit(&trail{action: auditSubmit, job: j.id, agent: j.agent, reason: "the key was used before"})
	_ = c.link.Send(c.withCredentials(s, j, out))
	return nil
}

// reservation is what the store keeps under a key.
type reservation struct {
	sum   [sha256.Size]byte
	at    time.Time // to the second
	jobID string
}

func (r *reservation) encode() []byte {
	return append(binary.BigEndian.AppendUint64(r.sum[:], uint64(r.at.Unix())), r.jobID...)
}

func decodeReservation(b []byte) (r reservation, ok bool) {
	if len(b) < sha256.Size+8 {
		return r, false
	}
	n := copy(r.sum[:], b)
	r.at = time.Unix(int64(binary.BigEndian.Uint64(b[n:])), 0)
	r.jobID = string(b[n+8:])
	return r, true
}

// reservationGrace is how long another node may take from a reservation to its job.
const reservationGrace = time.Minute

func (rt *Runtime) reserve(key store.Key, sum [sha256.Size]byte, jobID string) *arcp.Error {
	now := time.Now()
	r := reservation{sum, now, jobID}
	op := store.Op{Key: key, Create: true, Node: rt.node.ID(), Snapshot: r.encode(), Expires: now.Add(rt.opts.Limits.Idempotency)}
	if err := rt.seq.Commit(&op); err != nil {
		if errors.Is(err, store.ErrExists) {
			return errKeyTaken
		}
		rt.storeError("idempotency key cannot be reserved", err)
		return arcp.NewError(arcp.CodeInternalError, "the idempotency key could not be reserved")
	}
	return nil
}

// release gives a key back whose submit was refused after all. A key that was not reserved stays as it is.
func (rt *Runtime) release(key store.Key) {
	op := store.Op{Key: key, Epoch: 1, Delete: true}
	if err := rt.seq.Commit(&op); err != nil && !errors.Is(err, store.ErrNotFound) {
		rt.storeError("idempotency key cannot be released", err)
	}
}

// known returns the job that a key stands for, nil when the key is free, or why the submit is refused. Done must be called in any case.
func (rt *Runtime) known(ctx context.Context, key store.Key, sum [sha256.Size]byte) (_ *job, done func(), _ *arcp.Error) {
	done = func() {}
	head, err := rt.store.Lookup(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, done, nil
	}
	r, ok := decodeReservation(head.Snapshot)
	if err != nil || !ok {
		rt.opts.Logger.Error("idempotency key cannot be looked up", "error", err)
		return nil, done, arcp.NewError(arcp.CodeInternalError, "the idempotency key could not be looked up")
	}
	j, done := rt.borrow(ctx, r.jobID)
	switch {
	case j == nil && rt.opts.Shared && head.Owner != rt.node.ID() && time.Since(r.at) < reservationGrace:
		return nil, done, arcp.NewError(arcp.CodeInternalError, "the first submit with this idempotency key is not decided yet")
	case j == nil: // reserved, and the job never came to be
		rt.release(key)
		return nil, done, nil
	case r.sum != sum:
		return nil, done, arcp.NewError(arcp.CodeDuplicateKey, "/payload/idempotency_key: was used for another request")
	}
	return j, done, nil
}

// idemKey names a reservation: of one principal, whatever characters the two hold.
func idemKey(principal, key string) store.Key {
	b := binary.AppendUvarint(nil, uint64(len(principal)))
	return store.Key{Kind: store.KindIdem, ID: string(append(append(b, principal...), key...))}
}

// fingerprint is equal for submits that ask for the same: agent as written, input, lease, constraints and run time, JSON
// values by their meaning.
func fingerprint(p *arcp.JobSubmit) (sum [sha256.Size]byte, err error) {
	asked := *p
	asked.IdempotencyKey = ""
	text, err := asked.AppendJSON(nil)
	if err != nil {
		return sum, err
	}
	canonical, err := jsonx.AppendCanonical(nil, text)
	if err != nil {
		return sum, err
	}
	return sha256.Sum256(canonical), nil
}

// keyLocks is a lock for each key in use.
type keyLocks struct {
	mu    sync.Mutex
	locks map[string]*keyLock
}

type keyLock struct {
	mu    sync.Mutex
	users int
}

func (k *keyLocks) lock(key string) (unlock func()) {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*keyLock{}
	}
	l := k.locks[key]
	if l == nil {
		l = &keyLock{}
		k.locks[key] = l
	}
	l.users++
	k.mu.Unlock()
	l.mu.Lock()
	return func() {
		l.mu.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.locks, key)
		}
	}
}
