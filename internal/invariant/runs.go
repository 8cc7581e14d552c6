package invariant

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// runs judges what the log of a job says of its runs (I2): another one needs a runtime that died, each says which it is, what one run streamed
// the next does not go on with, and an end for want of a runtime says so to everybody.
func (c *checker) runs(j *job) {
	attempt := uint64(1)
	streamed := map[string]uint64{} // the run by result
	for _, index := range slices.Sorted(maps.Keys(j.log)) {
		en := j.log[index]
		c.at = en.at
		switch p := en.payload.(type) {
		case *arcp.JobEvent:
			switch b := p.Body.(type) {
			case *arcp.StatusBody:
				if b.Phase == arcp.PhaseRestarted {
					attempt = c.again(j, b, attempt)
				}
			case *arcp.ResultChunkBody:
				c.streams(j, streamed, b.ResultID, attempt)
			}
		case *arcp.JobResult:
			if _, seen := streamed[p.ResultID]; seen {
				c.streams(j, streamed, p.ResultID, attempt)
			}
		case *arcp.JobError:
			c.lost(j, p)
		}
	}
}

// again takes the beginning of another run and returns which it is.
func (c *checker) again(j *job, b *arcp.StatusBody, before uint64) uint64 {
	attempt, _ := detail[uint64](b.Details, arcp.DetailAttempt)
	if attempt <= before {
		c.fail(OneEnd, "", j.id, "a restart says that it is run %d, after run %d", attempt, before)
	}
	if !c.o.Died {
		c.fail(OneEnd, "", j.id, "a restart, and no runtime died")
	}
	return attempt
}

func (c *checker) streams(j *job, streamed map[string]uint64, result string, attempt uint64) {
	if first, ok := streamed[result]; ok && first != attempt {
		c.fail(OneEnd, "", j.id, "run %d goes on with the result %s of run %d", attempt, result, first)
	}
	streamed[result] = attempt
}

// lost judges an end that a runtime's death was the reason of.
func (c *checker) lost(j *job, p *arcp.JobError) {
	reason, given := detail[string](p.Details, arcp.DetailReason)
	if !given || p.Code != arcp.CodeInternalError {
		return
	}
	switch {
	case !c.o.Died:
		c.fail(OneEnd, "", j.id, "ended with the reason %q, and no runtime died", reason)
	case !p.Retryable || p.FinalStatus != arcp.StatusError:
		c.fail(OneEnd, "", j.id, "ended with the reason %q as %s, retryable %v", reason, p.FinalStatus, p.Retryable)
	}
}

// detail returns one member of the details of an event or an error.
func detail[T any](details arcp.RawJSON, name string) (v T, ok bool) {
	var all map[string]json.RawMessage
	if json.Unmarshal(details, &all) != nil || all[name] == nil {
		return v, false
	}
	return v, json.Unmarshal(all[name], &v) == nil
}
