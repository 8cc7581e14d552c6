package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func TestJudgeIsContent(t *testing.T) {
	t.Parallel()
	v := judge(newStory(t).entries, false)
	if !v.ok() || v.jobs != 1 || v.events != 5 {
		t.Errorf("judge(story) = %+v, want one job, five events and nothing found", v)
	}
}

// Each of these is what a runtime would say that had lost, doubled or changed something; the judge must see it, as what it is.
func TestPlanted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		plant func(s *story)
		want  kind
	}{
		{"the log lost an event", func(s *story) { s.drop(final, ".3") }, lost},
		{"the log lost its end", func(s *story) { s.drop(final, ".5") }, lost},
		{"the job is gone", func(s *story) { s.drop(final, ""); s.empty() }, lost},
		{"the log has another body at a place", func(s *story) { s.change(final, ".2", "r1/1/", "r1/9/") }, doubled},
		{"a body is damaged", func(s *story) { s.change("", ".2", "r1/1/", "r1/1/x") }, doubled},
		{"a step is there twice", func(s *story) { s.change("", ".3", "r1/2/", "r1/1/") }, doubled},
		{"a step is missing", func(s *story) { s.change("", ".3", "r1/2/", "r1/3/") }, lost},
		{"two steps changed places", func(s *story) { s.change("", ".2", "r1/1/", "r1/3/"); s.change("", ".4", "r1/3/", "r1/1/") }, doubled},
		{"another run speaks", func(s *story) { s.change("", ".4", "r1/3/", "r2/0/") }, doubled},
		{"a number was given twice", func(s *story) { s.change("ada1-0001", ".3", `"event_seq":3`, `"event_seq":2`) }, reordered},
		{"a number was left out", func(s *story) { s.change("ada1-0001", ".3", `"event_seq":3`, `"event_seq":4`) }, reordered},
		{"a second job for the key", func(s *story) { s.change(final, `"request_id"`, `"jobs":[`, `"jobs":[`+otherRow) }, doubled},
		{"the job ended twice", func(s *story) { s.change(final, ".5", `"success"`, `"error"`) }, other},
		{"the client was handed an event twice", func(s *story) { s.hand(4, 3) }, doubled},
		{"the client was not handed an event", func(s *story) { s.hand(2, 3) }, lost},
		{"the client's next life began too far on", func(s *story) { s.forget(2) }, lost},
		{"the client was handed another event", func(s *story) { s.swap() }, doubled},
		{"the session was gone", func(s *story) { s.expire("token-2") }, lost},
		{"the job was not known for a moment", func(s *story) { s.note(entry{Unknown: storyJob, life: "ada1-0001"}) }, lost},
		{"the client complains", func(s *story) { s.note(entry{Fault: "the list lacks a job", life: "ada1-0001"}) }, other},
		{"the client was told of another end", func(s *story) {
			s.note(entry{Ended: &ending{storyJob, string(arcp.StatusError)}, life: "ada1-0001"})
		}, doubled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			tt.plant(s)
			v := judge(s.entries, false)
			if counts := []int{v.lost, v.doubled, v.reordered, v.other}; counts[tt.want] == 0 {
				t.Errorf("lost, doubled, reordered, other = %v, want some at %d; found:\n%s", counts, tt.want, strings.Join(v.texts, "\n"))
			}
		})
	}
}

// A client that was killed before it kept the newest token has lost the session itself.
func TestOutdated(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.expire("token-1")
	if v := judge(s.entries, false); !v.ok() {
		t.Errorf("judge = %+v, want nothing to be found", v)
	}
}

// A client that was told that the log has lost its beginning, and then killed before it was handed an event, is not told again.
func TestPassed(t *testing.T) {
	t.Parallel()
	for index, want := range map[uint64]int{2: 0, 1: 1} {
		s := newStory(t)
		s.forget(1)
		for i := range s.entries {
			if e := &s.entries[i]; e.Read != nil {
				e.Read, e.Passed = nil, &passing{storyJob, index}
				break
			}
		}
		if v := judge(s.entries, false); v.lost != want {
			t.Errorf("events up to %d passed: lost = %d, want %d; found:\n%s", index, v.lost, want, strings.Join(v.texts, "\n"))
		}
	}
}

const (
	final    = finalName
	otherRow = `{"job_id":"job_2","agent":"again@1.0.0","status":"success","lease":{},"created_at":"2026-11-24T12:00:00Z","last_event_seq":1},`
)

// match says whether an entry is of a life and the frame of a place in the log.
func match(e *entry, life, id string) bool {
	return strings.HasPrefix(e.life, life) && e.From == fromRuntime && bytes.Contains(e.Frame, []byte(id)) && !bytes.Contains(e.Frame, []byte("welcome"))
}

// expire has the client come back with a token that opens nothing.
func (s *story) expire(token string) {
	s.resume(4, "ada1-0002", token, 5)
	s.note(entry{Expired: "sess_1", life: "ada1-0002"})
}

// drop takes sequenced frames out: those of a place, or all.
func (s *story) drop(life, id string) {
	s.entries = slices.DeleteFunc(s.entries, func(e entry) bool {
		return match(&e, life, id) && bytes.Contains(e.Frame, []byte(`"event_seq"`)) && (id == "" || bytes.Contains(e.Frame, []byte(storyJob+id+`"`)))
	})
}

// empty takes the job off the list.
func (s *story) empty() {
	for i := range s.entries {
		e := &s.entries[i]
		if a, b := bytes.Index(e.Frame, []byte(`"jobs":[`)), bytes.LastIndexByte(e.Frame, ']'); a >= 0 {
			e.Frame = slices.Concat(e.Frame[:a+len(`"jobs":[`)], e.Frame[b:])
		}
	}
}

// change replaces a text in the frames of a place in the log.
func (s *story) change(life, id, from, to string) {
	for i := range s.entries {
		if e := &s.entries[i]; match(e, life, id) && (id[0] != '.' || bytes.Contains(e.Frame, []byte(storyJob+id+`"`))) {
			e.Frame = bytes.Replace(e.Frame, []byte(from), []byte(to), 1)
		}
	}
}

// hand makes the nth event that the client was handed one of another index.
func (s *story) hand(n int, index uint64) {
	k := 0
	for i := range s.entries {
		if r := s.entries[i].Read; r != nil {
			if k++; k == n {
				r.Index = index
			}
		}
	}
}

// forget makes the client's first life have been handed only n-1 events.
func (s *story) forget(n int) {
	k := 0
	s.entries = slices.DeleteFunc(s.entries, func(e entry) bool {
		if e.Read != nil {
			k++
		}
		return e.Read != nil && k == n
	})
}

// swap makes the client be handed the body of another event.
func (s *story) swap() {
	for i := range s.entries {
		if r := s.entries[i].Read; r != nil && r.Index == 2 {
			r.Digest = digest((&work{}).body(storyRun, 3))
		}
	}
}
