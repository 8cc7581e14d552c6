package runtime_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// TestCancelAcross: whose job it is may cancel it from the other node, nobody else.
func TestCancelAcross(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p, other, foreign := n.join(t, n.a, "alice"), n.join(t, n.b, "alice"), n.join(t, n.b, "bob")
		id := p.submit(&arcp.JobSubmit{Agent: "steps"})
		n.steps <- struct{}{}
		p.want("step 1")
		other.say("c", &arcp.JobCancel{JobID: id})
		other.want("session.error PERMISSION_DENIED")
		foreign.say("c", &arcp.JobCancel{JobID: id})
		foreign.want("session.error JOB_NOT_FOUND")
		p.resume(n.b, 1)
		p.say("c", &arcp.JobCancel{JobID: id, Reason: "enough"})
		p.want("job.cancelled", `job.error CANCELLED false {"reason":"enough"}`)
		p.say("c", &arcp.JobCancel{JobID: id})
		p.want("session.error INVALID_REQUEST")
	})
}

// TestCancelAcrossAfterTheSession: once the session has ended, each of its principal's may cancel from anywhere.
func TestCancelAcrossAfterTheSession(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p, other := n.join(t, n.a, "alice"), n.join(t, n.b, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "steps"})
		p.close()
		other.say("c", &arcp.JobCancel{JobID: id})
		other.want("session.error PERMISSION_DENIED")
		time.Sleep(24 * time.Hour)
		other.say("c", &arcp.JobCancel{JobID: id})
		other.want("job.cancelled")
		synctest.Wait()
		other.say("s", &arcp.JobSubscribe{JobID: id, History: true})
		other.want("job.subscribed cancelled from 0", "job.error CANCELLED false")
	})
}

// TestCancelAcrossOfAJobThatStops: what its node does not take is not answered as taken, and the job ends when it would have.
func TestCancelAcrossOfAJobThatStops(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p := n.join(t, n.a, "alice")
		limit := uint64(1)
		begin := time.Now()
		id := p.submit(&arcp.JobSubmit{Agent: "stubborn", MaxRuntimeSec: &limit})
		time.Sleep(2 * time.Second)
		p.resume(n.b, 0)
		p.want("job.accepted")
		p.say("c", &arcp.JobCancel{JobID: id})
		p.want("session.error INTERNAL_ERROR", "job.error TIMEOUT true")
		if took, most := time.Since(begin), (1+arcp.LimitCancelGraceSec)*time.Second; took > most {
			t.Errorf("the agent was cut off after %v, want %v", took, most)
		}
		n.a.release <- struct{}{}
	})
}

// TestCancelIsInherited: a cancel that a dead node left in its inbox is taken by who takes the job over.
func TestCancelIsInherited(t *testing.T) {
	onNodes(t, func(t *testing.T, n *nodes) {
		p := n.join(t, n.a, "alice")
		id := p.submit(&arcp.JobSubmit{Agent: "stubborn"})
		time.Sleep(4 * time.Second) // a second before the next look for what dead nodes left
		n.Lose(n.owner(t, store.KindJob, id))
		p.resume(n.b, 0)
		p.want("job.accepted")
		p.say("c", &arcp.JobCancel{JobID: id})
		p.want("job.cancelled", "job.error CANCELLED false")
		n.a.release <- struct{}{}
	})
}
