package runtime

import (
	"log/slog"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/internal/link"
	"github.com/arcpkit/arcp/pkg/runtime/internal/core"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/transport"
)

// TestLateWindowTimer: the timer of a wait that is over ends no later one, however late it comes.
func TestLateWindowTimer(t *testing.T) {
	t.Parallel()
	rt, err := New(&Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := rt.open(&Principal{ID: "alice"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.mu.Lock()
		s.wait(time.Now())
		s.mu.Unlock()
	}
	s.end(1)
	if rt.find(s.id, arcp.TokenHash{}) == nil {
		t.Error("the session has ended in the middle of its second wait")
	}
	s.end(2)
	if rt.find(s.id, arcp.TokenHash{}) != nil {
		t.Error("the session outlives its window")
	}
}

// TestSessionThatIsLeavingIsNotFound: whoever lets go of a session that moved does not find it again, though somebody else has only begun to
// let go of it.
func TestSessionThatIsLeavingIsNotFound(t *testing.T) {
	t.Parallel()
	rt, err := New(&Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := rt.open(&Principal{ID: "alice"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.left = true // as the one who reads its inbox sets it first
	s.mu.Unlock()
	s.away(nil)
	if rt.find(s.id, s.current) != nil || rt.find("", s.current) != nil {
		t.Error("the session is found again")
	}
}

// TestGoodbyeWhileAJobEnds: a session is not freed by its client's goodbye while the end of a job of its is only being written.
func TestGoodbyeWhileAJobEnds(t *testing.T) {
	t.Parallel()
	rt, err := New(&Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := rt.open(&Principal{ID: "alice"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &connection{rt: rt}
	c.reader, _, _ = s.view.Resume(0)
	s.conn.Store(c)
	s.owner.ending.Add(1) // as writeTerminal does before the job stops counting
	s.leave(c)
	if rt.find(s.id, s.current) == nil {
		t.Error("the session was freed with an end to come")
	}
	if !s.expects() {
		t.Error("nothing is expected, and a link that is silent would be ended")
	}
	s.owner.ending.Add(-1)
	s.leave(c)
	if rt.find(s.id, s.current) != nil {
		t.Error("the session with nothing to come was not freed")
	}
}

// TestJobForgottenInTheMiddle: a job that is forgotten between its look-up and its subscription is not there, and its log is not held on to.
func TestJobForgottenInTheMiddle(t *testing.T) {
	t.Parallel()
	rt, err := New(&Options{AllowAnyone: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := rt.open(&Principal{ID: "alice"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	j := &job{rt: rt, id: "job_1", principal: "alice", owner: &owner{}, core: core.JobAt(arcp.StatusSuccess)}
	j.task = &Task{job: j}
	if j.log, err = rt.seq.OpenLog(&journal.NewLog{Node: rt.node.ID(), JobID: j.id}); err != nil {
		t.Fatal(err)
	}
	ours, theirs := transport.Pipe()
	c := &connection{rt: rt, link: link.New(ours, link.Options{})}
	s.conn.Store(c)
	if refusal := c.follow(s, j, "r", &arcp.JobSubscribe{JobID: j.id}); refusal == nil || refusal.Code != arcp.CodeJobNotFound {
		t.Errorf("follow = %v, want JOB_NOT_FOUND", refusal)
	}
	if rt.seq.Attached(s.view, j.log) || s.observes(j) {
		t.Error("the session holds on to the job")
	}
	c.link.Close("")
	_ = theirs.Close("")
	<-c.link.Done()
}
