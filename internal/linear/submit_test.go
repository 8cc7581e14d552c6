package linear

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// submit is the input of one submit with a key: print stands for everything else in it.
type submit struct{ who, key, print string }

// reserved is what the model knows of a key.
type reserved struct{ print, job string }

// duplicate is the output of a submit that was refused as another; any other output is the id of a job.
const duplicate = "DUPLICATE_KEY"

// keys is the model of §7.2: the first submit with a key makes a job, equal ones get it, others are refused.
var keys = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[string][]porcupine.Operation{}
		for _, op := range history {
			in := op.Input.(submit)
			k := in.who + "\x00" + in.key
			parts[k] = append(parts[k], op)
		}
		var out [][]porcupine.Operation
		for _, p := range parts {
			out = append(out, p)
		}
		return out
	},
	Init: func() any { return reserved{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(reserved), input.(submit), output.(string)
		switch {
		case s.job == "":
			return out != duplicate, reserved{in.print, out}
		case s.print == in.print:
			return out == s.job, s
		}
		return out == duplicate, s
	},
}

// history lets sessions of two principals submit with few keys and few prints, all at once.
func history(t *testing.T, seed uint64, sessions, each int) []porcupine.Operation {
	g := open(t)
	var wg sync.WaitGroup
	for i := range sessions {
		who := []string{"alice", "bob"}[i%2]
		p := g.session(who)
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			defer p.close()
			for range each {
				in := submit{who, fmt.Sprint("k", r.IntN(each)), fmt.Sprint(r.IntN(6) / 5)}
				g.do(i, in, func() any { return p.submit(in) })
			}
		})
	}
	wg.Wait()
	return g.ops
}

// submit writes the input of its print in a form of its own each time.
func (p *peer) submit(in submit) string {
	forms := map[string][]string{"0": {`{"a":1,"b":[2.0]}`, `{ "b":[2], "a":1e0 }`}, "1": {`{"a":1}`, `{"a":1.0}`}}
	n := p.g.serial.Add(1)
	id := p.write(&arcp.JobSubmit{Agent: "a", IdempotencyKey: in.key, Input: arcp.RawJSON(forms[in.print][n%2])})
	e := p.read(func(e *arcp.Envelope) bool {
		switch a := e.Payload.(type) {
		case *arcp.JobAccepted:
			return a.RequestID == id
		case *arcp.SessionError:
			return a.RequestID == id
		}
		return false
	})
	if e == nil {
		return "no answer"
	}
	if a, ok := e.Payload.(*arcp.JobAccepted); ok {
		return a.JobID
	}
	if a := e.Payload.(*arcp.SessionError); a.Code != arcp.CodeDuplicateKey {
		return string(a.Code)
	}
	return duplicate
}

// guards D2, D3: equal submits from many sessions at once make one job.
func TestSubmitByKey(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		ops := history(t, seed, 12, 60)
		if !porcupine.CheckOperations(keys, ops) {
			t.Errorf("seed %d: the history of %d submits is not linearizable", seed, len(ops))
		}
	}
}

// Two principals with one key have nothing to do with each other, and joined names do not collide. guards D7
func TestScopeOfKeys(t *testing.T) {
	t.Parallel()
	g := open(t)
	jobs := map[string]bool{}
	for _, who := range []string{"alice", "bob"} {
		p := g.session(who)
		for _, key := range []string{"k", "alice", "bobk", "::k"} {
			jobs[p.submit(submit{who, key, "0"})] = true
		}
		p.close()
	}
	if len(jobs) != 8 || jobs[duplicate] {
		t.Errorf("8 submits of two principals with four keys made %d jobs", len(jobs))
	}
}

// The model refuses histories of runtimes with a bug.
func TestMutantsOfSubmit(t *testing.T) {
	t.Parallel()
	at := func(client int, call, ret int64, in submit, out string) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ret}
	}
	one, other := submit{"alice", "k", "0"}, submit{"alice", "k", "1"}
	for _, tt := range []struct {
		name string
		want bool
		ops  []porcupine.Operation
	}{
		{"twins get one job", true, []porcupine.Operation{at(0, 1, 4, one, "j"), at(1, 2, 3, one, "j")}},
		{"one of two wins", true, []porcupine.Operation{at(0, 1, 4, one, duplicate), at(1, 2, 3, other, "j")}},
		{"twins get two jobs", false, []porcupine.Operation{at(0, 1, 4, one, "j"), at(1, 2, 3, one, "i")}},
		{"both fingerprints win", false, []porcupine.Operation{at(0, 1, 4, one, "j"), at(1, 2, 3, other, "i")}},
		{"both are refused", false, []porcupine.Operation{at(0, 1, 4, one, duplicate), at(1, 2, 3, other, duplicate)}},
		{"an equal one is refused", false, []porcupine.Operation{at(0, 1, 2, one, "j"), at(1, 3, 4, one, duplicate)}},
		{"the key is forgotten", false, []porcupine.Operation{at(0, 1, 2, one, "j"), at(1, 3, 4, one, "i")}},
		{"refused before anybody came", false, []porcupine.Operation{at(0, 1, 2, one, duplicate), at(1, 3, 4, one, "j")}},
		{"another is taken later", false, []porcupine.Operation{at(0, 1, 2, one, "j"), at(1, 3, 4, other, "j")}},
	} {
		if got := porcupine.CheckOperations(keys, tt.ops); got != tt.want {
			t.Errorf("%s: linearizable = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A mutant of a history that a runtime has made: one answer in it is another's.
func TestMutatedHistory(t *testing.T) {
	t.Parallel()
	ops := history(t, 99, 6, 30)
	first := map[submit]int{}
	for i, op := range ops {
		in := op.Input.(submit)
		k, again := first[in]
		first[in] = i
		if again && ops[k].Output != duplicate {
			mutant := append([]porcupine.Operation(nil), ops...)
			mutant[i].Output = "job_of_nobody"
			if porcupine.CheckOperations(keys, mutant) {
				t.Fatalf("submit %d of %v got a job of its own, and the model does not mind", i, in)
			}
		}
	}
}
