package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// runs is what a log says of the runs of its job's agent.
type runs struct {
	j       *judgement
	id      string
	run     string // the one that speaks
	next    int    // its next step
	attempt int
	over    map[string]bool // runs that another one followed
	results map[string]*streamed
}

// streamed is a result in chunks.
type streamed struct {
	next  uint64
	whole bool
	data  strings.Builder
}

// wholeLog checks one log by itself: without holes, with one end behind everything, and made of runs that each say what an agent says.
func (j *judgement) wholeLog(id string, l *log) {
	if l.first != 1 && !j.lossy {
		j.find(lost, "the log of job %s begins with %d", id, l.first)
	}
	r := &runs{j: j, id: id, attempt: 1, over: map[string]bool{}, results: map[string]*streamed{}}
	n := uint64(len(l.places))
	if l.end == 0 || l.end != l.first+n-1 {
		j.find(lost, "the log of job %s holds %d entries from %d on, and its end is at %d", id, n, l.first, l.end)
		return
	}
	for i := l.first; i <= l.end; i++ {
		switch p := l.places[i].payload.(type) {
		case *arcp.JobEvent:
			r.event(i, p, i == l.first && l.first > 1)
		case *arcp.JobResult:
			r.result(p)
		case *arcp.JobError:
			r.failure(p)
		}
	}
}

// event takes the next event. Of a log that has lost its beginning the first one may be any.
func (r *runs) event(index uint64, p *arcp.JobEvent, torn bool) {
	switch b := p.Body.(type) {
	case *arcp.StatusBody:
		if b.Phase == arcp.PhaseRestarted {
			r.restarted(index, b)
		}
		return
	case *arcp.ResultChunkBody:
		r.chunk(index, b)
		return
	}
	text, ok := stepOf(p.Body)
	if !ok {
		r.j.find(other, "%s.%d is of kind %s, which no agent sends", r.id, index, p.Kind)
		return
	}
	run, i, ok := splitStep(text)
	switch {
	case !ok:
		r.j.find(doubled, "%s.%d is not what an agent said: %.200q", r.id, index, text)
		return
	case run == r.run && i < r.next:
		r.j.find(doubled, "%s.%d is step %d of run %s once more", r.id, index, i, run)
	case run != r.run && r.over[run]:
		r.j.find(reordered, "%s.%d is of run %s, which was over", r.id, index, run)
	case torn:
	case run != r.run && r.run != "":
		r.j.find(doubled, "%s.%d is of run %s, and nothing says that %s was over", r.id, index, run, r.run)
	case run != r.run && i != 0, run == r.run && i != r.next:
		r.j.find(lost, "%s.%d is step %d of run %s, want %d", r.id, index, i, run, r.next)
	}
	r.run, r.next = run, i+1
}

func (r *runs) restarted(index uint64, b *arcp.StatusBody) {
	var details struct {
		Attempt int `json:"attempt"`
	}
	_ = json.Unmarshal(b.Details, &details)
	if r.attempt++; details.Attempt != r.attempt && !r.j.lossy {
		r.j.find(other, "%s.%d begins attempt %d, want %d", r.id, index, details.Attempt, r.attempt)
	}
	if !r.mayRestart() {
		r.j.find(other, "%s.%d says that an agent was restarted that may not be", r.id, index)
	}
	r.j.reruns++
	r.over[r.run] = true
	r.run, r.next = "", 0
	r.results = map[string]*streamed{}
}

func (r *runs) chunk(index uint64, b *arcp.ResultChunkBody) {
	s := r.results[b.ResultID]
	if s == nil {
		s = &streamed{}
		r.results[b.ResultID] = s
	}
	data := b.Data
	if b.Encoding == arcp.EncodingBase64 {
		raw, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			r.j.find(other, "%s.%d: %v", r.id, index, err)
		}
		data = string(raw)
	}
	if b.ChunkSeq != s.next || s.whole {
		if !r.j.lossy {
			r.j.find(lost, "%s.%d is chunk %d of result %s, want %d (the last one came: %v)", r.id, index, b.ChunkSeq, b.ResultID, s.next, s.whole)
		}
	}
	s.next, s.whole = b.ChunkSeq+1, !b.More
	s.data.WriteString(data)
}

// result checks the end of a job that succeeded: it is the last run's, and says all that this run had to say.
func (r *runs) result(p *arcp.JobResult) {
	text := string(p.Result)
	if p.ResultID != "" {
		s := r.results[p.ResultID]
		if r.j.lossy && (s == nil || !s.whole) {
			return
		}
		if s == nil || !s.whole {
			r.j.find(lost, "the result %s of job %s did not come whole in its last run", p.ResultID, r.id)
			return
		}
		text = s.data.String()
	}
	var o outcome
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		if !r.j.lossy {
			r.j.find(other, "the result of job %s: %v", r.id, err)
		}
		return
	}
	if r.run == "" && o.Events > 0 || r.run != "" && o.Run != r.run {
		r.j.find(lost, "job %s ends with the result of run %s, its last run is %q", r.id, o.Run, r.run)
	}
	if o.Events != r.next {
		r.j.find(lost, "job %s ends after %d steps of its last run, want %d", r.id, r.next, o.Events)
	}
	if o.Data != filling(o.Run, -1, len(o.Data)) {
		r.j.find(doubled, "the result of job %s is not what its agent said", r.id)
	}
}

// failure checks the end of a job that did not succeed: it was cancelled, took too long, or a restart ended it.
func (r *runs) failure(p *arcp.JobError) {
	switch {
	case p.FinalStatus == arcp.StatusCancelled && r.j.cancels[r.id]:
	case p.FinalStatus == arcp.StatusTimedOut && r.j.limited[r.id]:
	case p.FinalStatus == arcp.StatusError && p.Code == arcp.CodeInternalError && p.Retryable && !r.mayRestart():
	default:
		r.j.find(other, "job %s of the agent %s ended as %s, %s %q %s", r.id, r.j.agents[r.id], p.FinalStatus, p.Code, p.Message, p.Details)
	}
}

// mayRestart says whether the job's agent may run again.
func (r *runs) mayRestart() bool { return r.j.agents[r.id] == agentAgain }
