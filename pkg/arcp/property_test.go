package arcp

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
)

// everyType calls check for random messages of every type and, for events, every kind.
func everyType(t *testing.T, n int, check func(t *testing.T, r values, e *Envelope)) {
	t.Helper()
	run := func(name string, mt MessageType, k EventKind) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := values{rand.New(rand.NewPCG(1, uint64(len(name))))}
			for range n {
				check(t, r, r.envelope(mt, k))
			}
		})
	}
	for _, mt := range MessageTypes() {
		if mt != TypeJobEvent {
			run(string(mt), mt, "")
			continue
		}
		for _, k := range EventKinds() {
			run(string(mt)+"."+string(k), mt, k)
		}
	}
}

// What is encoded is JSON, is read back, and is written again as the same bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	everyType(t, 50, func(t *testing.T, _ values, e *Envelope) {
		frame := encode(t, e)
		if !json.Valid(frame) {
			t.Fatalf("not JSON: %s", frame)
		}
		again, err := Decode(frame)
		if err != nil {
			t.Fatalf("Decode(%s) = %v", frame, err)
		}
		if twice := encode(t, again); !bytes.Equal(twice, frame) {
			t.Fatalf("read and written again:\n%s\nwas:\n%s", twice, frame)
		}
	})
}

// The order of members and the space around them make no difference, payload before type included.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	everyType(t, 20, func(t *testing.T, r values, e *Envelope) {
		frame := encode(t, e)
		shuffled := shuffle(r, frame, 3)
		again, err := Decode(shuffled)
		if err != nil {
			t.Fatalf("Decode(%s) = %v", shuffled, err)
		}
		if got := encode(t, again); !reflect.DeepEqual(generic(t, got), generic(t, frame)) {
			t.Fatalf("shuffled:\n%s\nread as:\n%s\nwas:\n%s", shuffled, got, frame)
		}
	})
}

// A sequenced frame is its prefix, its number and its tail, and the tail does not hang on the session.
func TestSequencedSplit(t *testing.T) {
	t.Parallel()
	for _, mt := range MessageTypes() {
		rule, _ := RuleOf(mt)
		if !rule.Sequenced {
			continue
		}
		r := values{rand.New(rand.NewPCG(2, uint64(len(mt))))}
		e := r.envelope(mt, KindLog)
		e.SessionID, e.EventSeq = "sess_1", 7
		whole := encode(t, e)
		tail, err := AppendSequencedTail(nil, &Envelope{ID: e.ID, JobID: e.JobID, TraceID: e.TraceID, Payload: e.Payload, Extensions: e.Extensions})
		if err != nil {
			t.Fatal(err)
		}
		split := append(append(AppendSequencedPrefix(nil, mt, "sess_1"), '7'), tail...)
		if !bytes.Equal(split, whole) {
			t.Errorf("in halves:\n%s\nwhole:\n%s", split, whole)
		}
	}
}

func TestAppendEventTail(t *testing.T) {
	t.Parallel()
	ev := &JobEvent{Kind: KindThought, Body: &ThoughtBody{Text: "hm"}}
	for _, trace := range []string{"", "4bf92f3577b34da6a3ce929d0e0e4736"} {
		got, err := AppendEventTail([]byte("x"), "job_1", 12, trace, ev)
		if err != nil {
			t.Fatal(err)
		}
		want, err := AppendSequencedTail([]byte("x"), &Envelope{ID: "job_1.12", JobID: "job_1", TraceID: trace, Payload: ev})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("AppendEventTail = %s, want %s, %v", got, want, err)
		}
	}
}

// generic reads JSON with its numbers as they stand, so that only the order of members is lost.
func generic(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func encode(t *testing.T, e *Envelope) []byte {
	t.Helper()
	frame, err := e.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// shuffle writes the members of the outer objects in another order and with space around them, down to a depth; what lies
// deeper stays as it is.
func shuffle(r values, text []byte, depth int) []byte {
	var members map[string]json.RawMessage
	if depth == 0 || text[0] != '{' || json.Unmarshal(text, &members) != nil {
		return text
	}
	keys := make([]string, 0, len(members))
	for key := range members {
		keys = append(keys, key)
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	space := func() string { return []string{"", " ", "\n\t", "\r\n"}[r.IntN(4)] }
	var b bytes.Buffer
	b.WriteString("{" + space())
	for i, key := range keys {
		if i > 0 {
			b.WriteString(space() + "," + space())
		}
		name, _ := json.Marshal(key)
		b.Write(name)
		b.WriteString(space() + ":" + space())
		b.Write(shuffle(r, members[key], depth-1))
	}
	b.WriteString(space() + "}")
	return b.Bytes()
}
