package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/arcpkit/arcp/internal/invariant"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// verdict is what is wrong with what the clients of a round were told, and how much they were told.
type verdict struct {
	jobs, events             int
	lost, doubled, reordered int
	other                    int
	reruns, resumed          int // runs after the first; sessions that went on
	texts                    []string
}

// kind says which number of the verdict a finding counts in.
type kind int

const (
	lost kind = iota
	doubled
	reordered
	other
)

func (v *verdict) find(k kind, format string, args ...any) {
	switch k {
	case lost:
		v.lost++
	case doubled:
		v.doubled++
	case reordered:
		v.reordered++
	case other:
		v.other++
	}
	v.texts = append(v.texts, fmt.Sprintf(format, args...))
}

func (v *verdict) add(o *verdict) {
	v.jobs, v.events = v.jobs+o.jobs, v.events+o.events
	v.lost, v.doubled, v.reordered, v.other = v.lost+o.lost, v.doubled+o.doubled, v.reordered+o.reordered, v.other+o.other
	v.reruns, v.resumed = v.reruns+o.reruns, v.resumed+o.resumed
	v.texts = append(v.texts, o.texts...)
}

func (v *verdict) ok() bool { return v.lost+v.doubled+v.reordered+v.other == 0 }

// judgement holds the diaries of a round against each other, and against what the runtime says in the end.
type judgement struct {
	verdict
	all    []entry
	frames []*arcp.Envelope // of all, nil where there is none
	lossy  bool             // logs may have lost their beginnings

	logs     map[string]*log   // by job, as they are in the end
	listed   map[string]bool   // jobs on the last lists
	accepted map[string]int64  // when somebody was first told of a job
	cancels  map[string]bool   // jobs whose cancel was asked for
	agents   map[string]string // name of the agent by job
	limited  map[string]bool   // jobs that may run for so long only
}

// log is a job's log as it is in the end.
type log struct {
	places map[uint64]place
	first  uint64
	end    uint64 // the place of its terminal, 0 for none
}

// place is one entry of a log.
type place struct {
	hash    [sha256.Size]byte // of what follows the number in its frame
	payload arcp.Payload
}

// judge reads the diaries. They are those of whole lives: whoever lived has been killed or has left.
func judge(all []entry, lossy bool) *verdict {
	j := &judgement{
		all: all, frames: make([]*arcp.Envelope, len(all)), lossy: lossy, logs: map[string]*log{},
		listed: map[string]bool{}, accepted: map[string]int64{}, cancels: map[string]bool{}, agents: map[string]string{}, limited: map[string]bool{},
	}
	j.learn()
	j.invariants()
	for _, id := range slices.Sorted(maps.Keys(j.logs)) {
		j.wholeLog(id, j.logs[id])
	}
	j.acknowledged()
	j.readings()
	j.claims()
	return &j.verdict
}

// learn decodes the frames, and keeps what the last audit saw.
func (j *judgement) learn() {
	asked := map[string]*arcp.JobSubmit{} // by request id
	resumes := map[int]bool{}             // by link
	for i := range j.all {
		e := &j.all[i]
		if e.Frame == nil {
			continue
		}
		env, err := arcp.Decode(e.Frame)
		if err != nil {
			j.find(other, "a frame that cannot be read: %v: %.200s", err, e.Frame)
			continue
		}
		j.frames[i] = env
		final := isFinal(e)
		switch p := env.Payload.(type) {
		case *arcp.SessionHello:
			if p.Resume != nil {
				resumes[e.Link] = true
			}
		case *arcp.SessionWelcome:
			if resumes[e.Link] {
				j.resumed++
			}
		case *arcp.JobSubmit:
			asked[env.ID] = p
		case *arcp.JobAccepted:
			if s := asked[p.RequestID]; s != nil {
				j.limited[p.JobID] = s.MaxRuntimeSec != nil
			}
			if _, known := j.accepted[p.JobID]; !known {
				j.accepted[p.JobID] = e.At
			}
			j.agents[p.JobID], _, _ = strings.Cut(p.Agent, "@")
		case *arcp.JobCancel:
			j.cancels[p.JobID] = true
		case *arcp.SessionJobs:
			for k := range p.Jobs {
				j.listed[p.Jobs[k].JobID] = j.listed[p.Jobs[k].JobID] || final
			}
		}
		if index := indexIn(env.ID); final && e.From == fromRuntime && env.EventSeq > 0 && index > 0 {
			j.log(env.JobID).put(index, env)
		}
	}
	j.jobs = len(j.accepted)
}

func isFinal(e *entry) bool { return strings.HasPrefix(e.life, finalName+"-") }

func (j *judgement) log(id string) *log {
	l := j.logs[id]
	if l == nil {
		l = &log{places: map[uint64]place{}}
		j.logs[id] = l
	}
	return l
}

func (l *log) put(index uint64, e *arcp.Envelope) {
	l.places[index] = place{hashOf(e), e.Payload}
	if l.first == 0 {
		l.first = index
	}
	switch e.Payload.(type) {
	case *arcp.JobResult, *arcp.JobError:
		l.end = index
	}
}

// hashOf stands for all of a sequenced frame that is not the session's.
func hashOf(e *arcp.Envelope) [sha256.Size]byte {
	tail, err := arcp.AppendSequencedTail(nil, e)
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(tail)
}

// invariants lets the checker of traces judge all frames of all clients: numbers, one body each, one end, keys, secrets and the rest.
func (j *judgement) invariants() {
	var trace invariant.Trace
	for i := range j.all {
		if e := &j.all[i]; e.Frame != nil {
			trace = append(trace, invariant.Step{
				At: time.Duration(e.At - j.all[0].At), Link: e.Link, From: e.side(), Data: e.Frame,
			})
		}
	}
	kinds := map[invariant.Rule]kind{
		invariant.Numbers: reordered, invariant.OneLog: reordered, invariant.OneEnd: doubled, invariant.Keys: doubled, invariant.EveryEnd: lost,
	}
	for _, v := range invariant.Check(trace, invariant.Options{Principal: principalOf, Whole: true, Died: true}) {
		if j.lossy && v.Rule == invariant.OneLog && !strings.Contains(v.Text, "differs") {
			continue // a log that has lost its beginning is read from where it begins now
		}
		k, ok := kinds[v.Rule]
		if !ok {
			k = other
		}
		j.find(k, "%v\n%s", v, trace.Around(v.Step, 3))
	}
}

// acknowledged holds all that clients were told against the logs: each job is there, and each event at its place, with its body.
func (j *judgement) acknowledged() {
	seen := map[string]bool{}
	for i := range j.all {
		e, env := &j.all[i], j.frames[i]
		if env == nil || e.From != fromRuntime || isFinal(e) {
			continue
		}
		switch p := env.Payload.(type) {
		case *arcp.JobAccepted:
			if !j.listed[p.JobID] {
				j.find(lost, "job %s was accepted and is not on the list in the end (%s)", p.JobID, e.life)
			}
		case *arcp.JobEvent, *arcp.JobResult, *arcp.JobError:
			if index := indexIn(env.ID); index > 0 {
				seen[env.ID] = true
				j.at(e, env, index)
			}
		}
	}
	j.events = len(seen)
	for id, listed := range j.listed {
		if _, accepted := j.accepted[id]; listed && !accepted {
			j.find(doubled, "job %s is on the list and nobody was told of it: some key made two", id)
		}
	}
}

func (j *judgement) at(e *entry, env *arcp.Envelope, index uint64) {
	l := j.logs[env.JobID]
	switch {
	case l == nil:
		j.find(lost, "%s saw %s of job %s, of which there is nothing in the end", e.life, env.ID, env.JobID)
	case j.lossy && index < l.first:
	case l.places[index].payload == nil:
		j.find(lost, "%s saw %s, which is not in the log in the end", e.life, env.ID)
	case l.places[index].hash != hashOf(env):
		j.find(doubled, "%s saw %s with another body than it has in the end:\n\t%.300s", e.life, env.ID, e.Frame)
	}
}

// stream is one reading of a job by a client.
type stream struct {
	job, life string
	n         int
}

// readings holds what clients were handed against the logs: each event once, in order, from one life to the next without a hole.
func (j *judgement) readings() {
	last := map[stream]uint64{}
	client := map[stream]uint64{} // of all streams of a client
	for i := range j.all {
		e := &j.all[i]
		name, _, _ := cutLast(e.life, "-")
		if p := e.Passed; p != nil {
			of := stream{p.Job, name, 0}
			client[of] = max(client[of], p.Index)
		}
		r := e.Read
		if r == nil {
			continue
		}
		at := stream{r.Job, e.life, r.Stream}
		of := stream{r.Job, name, 0}
		before, going := last[at]
		switch {
		case going && r.Index <= before && r.Index > 0:
			j.find(doubled, "%s was handed event %d of job %s after %d", e.life, r.Index, r.Job, before)
		case going && r.Index != before+1 && !r.Begin:
			j.find(lost, "%s was handed event %d of job %s after %d", e.life, r.Index, r.Job, before)
		case !going && !r.Begin && r.Index > client[of]+1:
			j.find(lost, "%s went on with event %d of job %s, its client had come to %d", e.life, r.Index, r.Job, client[of])
		}
		last[at] = r.Index
		client[of] = max(client[of], r.Index)
		j.handed(e, r)
	}
}

func (j *judgement) handed(e *entry, r *reading) {
	l := j.logs[r.Job]
	if l == nil || j.lossy && r.Index < l.first {
		return // said elsewhere
	}
	ev, ok := l.places[r.Index].payload.(*arcp.JobEvent)
	if !ok || digest(ev.Body) != r.Digest {
		j.find(doubled, "%s was handed another event %d of job %s than there is in the end", e.life, r.Index, r.Job)
	}
}

// claims takes what clients found wrong themselves, and sessions that they could not go on with.
func (j *judgement) claims() {
	for i := range j.all {
		e := &j.all[i]
		switch {
		case e.Fault != "":
			j.find(other, "%s: %s", e.life, e.Fault)
		case e.Expired != "" && !j.lossy && !j.outdated(i):
			j.find(lost, "%s could not go on with session %s", e.life, e.Expired)
		case e.Unknown != "":
			if at, accepted := j.accepted[e.Unknown]; accepted && at < e.At {
				j.find(lost, "%s was told that there is no job %s, which had been accepted", e.life, e.Unknown)
			}
		case e.Ended != nil:
			j.told(e)
		}
	}
}

func (j *judgement) told(e *entry) {
	l := j.logs[e.Ended.Job]
	if l == nil || l.end == 0 {
		return // said elsewhere
	}
	status := string(arcp.StatusSuccess)
	if p, ok := l.places[l.end].payload.(*arcp.JobError); ok {
		status = string(p.FinalStatus)
	}
	if status != e.Ended.Status {
		j.find(doubled, "%s was told that job %s ended as %s, it is %s", e.life, e.Ended.Job, e.Ended.Status, status)
	}
}

// outdated says whether the token that did not open a session was not the newest that the client had: it was killed before it kept that
// one, and the runtime knew from its frames that it had come (§6.3).
func (j *judgement) outdated(expired int) bool {
	e := &j.all[expired]
	var refused, newest string
	for i := range expired {
		env := j.frames[i]
		if env == nil {
			continue
		}
		switch p := env.Payload.(type) {
		case *arcp.SessionHello:
			if p.Resume != nil && p.Resume.SessionID == e.Expired && j.all[i].life == e.life {
				refused = p.Resume.ResumeToken.Reveal()
			}
		case *arcp.SessionWelcome:
			if env.SessionID == e.Expired {
				newest = p.ResumeToken.Reveal()
			}
		}
	}
	return refused != newest
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
