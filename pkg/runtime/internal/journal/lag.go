package journal

import (
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// checkLag tells a client that acknowledges, and is too far behind, of back pressure: once a breach, in its own view only,
// in the name of the job that speaks last (§6.5). The caller holds the baton.
func (v *View) checkLag() {
	limit := uint64(v.seq.limits.LagEvents)
	if limit == 0 || !v.acks.Load() {
		return
	}
	if v.next-v.acked.Load() > limit && len(v.pending) > 0 && !v.lagging.Swap(true) {
		v.tellLag()
	}
}

// caughtUp ends a breach when the client is well below the threshold again. The caller holds v.mu.
func (v *View) caughtUp() {
	if v.published-v.acked.Load() <= uint64(v.seq.limits.LagEvents)/2 {
		v.lagging.Store(false)
	}
}

func (v *View) tellLag() {
	last := v.pending[len(v.pending)-1].log
	if last == nil {
		return
	}
	e := arcp.Envelope{ID: arcp.NewID(arcp.PrefixMessage), JobID: last.jobID, TraceID: last.traceID, Payload: &arcp.JobEvent{
		Kind: arcp.KindStatus, TS: time.Now(), Body: &arcp.StatusBody{Phase: arcp.PhaseBackPressure},
	}}
	tail, err := arcp.AppendSequencedTail([]byte{byte(TypeEvent), byte(GateNone)}, &e)
	if err == nil { // nothing in it can fail to encode
		v.inline(last, 0, tail)
	}
}
