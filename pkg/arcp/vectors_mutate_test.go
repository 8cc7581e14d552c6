package arcp_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// mutator spoils JSON trees: members go, move, change their type or come from another tree.
type mutator struct {
	*rand.Rand
	donor any
}

func (m mutator) mutate(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			return x
		}
		m.member(x, m.key(x))
		return x
	case []any:
		if len(x) == 0 {
			return x
		}
		i := m.IntN(len(x))
		x[i] = m.mutate(x[i])
		return x
	default:
		return m.pick(m.donor)
	}
}

func (m mutator) member(x map[string]any, key string) {
	odd := []any{nil, "", 0.0, false, map[string]any{}, []any{}, -1.0, "x"}
	switch m.IntN(7) {
	case 0:
		delete(x, key)
	case 1:
		x[key] = m.pick(m.donor)
	case 2:
		if other, ok := m.pick(m.donor).(map[string]any); ok && len(other) > 0 {
			k := m.key(other)
			x[k] = other[k]
		}
	case 3:
		x[key] = odd[m.IntN(len(odd))]
	default:
		x[key] = m.mutate(x[key])
	}
}

// pick returns a copy of some value of a tree.
func (m mutator) pick(v any) any {
	return clone(m.descend(v))
}

func (m mutator) descend(v any) any {
	for m.IntN(4) != 0 {
		switch x := v.(type) {
		case map[string]any:
			if len(x) == 0 {
				return x
			}
			v = x[m.key(x)]
		case []any:
			if len(x) == 0 {
				return x
			}
			v = x[m.IntN(len(x))]
		default:
			return x
		}
	}
	return v
}

func clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		c := maps.Clone(x)
		for k, e := range c {
			c[k] = clone(e)
		}
		return c
	case []any:
		c := slices.Clone(x)
		for i, e := range c {
			c[i] = clone(e)
		}
		return c
	default:
		return x
	}
}

// key picks a name of x, the same for the same random numbers.
func (m mutator) key(x map[string]any) string {
	return slices.Sorted(maps.Keys(x))[m.IntN(len(x))]
}

// TestVerdictsAgree holds Decode and Validate against the schema on valid vectors, spoiled in one place or two: what the
// schema accepts both accept, and what both accept the schema accepts as we write it, without empty members.
func TestVerdictsAgree(t *testing.T) {
	t.Parallel()
	rounds := 30000
	if testing.Short() {
		rounds = 3000
	}
	schema := envelopeSchema(t)
	seeds := validFrames(t)
	random := rand.New(rand.NewPCG(11, 7))
	accepted := 0
	for range rounds {
		frame := spoiled(t, random, seeds)
		e, ours := arcp.Decode(frame)
		if ours == nil {
			ours = e.Validate()
		}
		if ours != nil {
			if schemaError(t, schema, frame) == nil {
				t.Fatalf("the schema accepts %s, we say %v", frame, ours)
			}
			continue
		}
		accepted++
		if _, unknown := e.Payload.(*arcp.UnknownMessage); unknown {
			continue // is written as it was read, empty members and all
		}
		out, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatalf("AppendJSON of %s: %v", frame, err)
		}
		if err := schemaError(t, schema, out); err != nil {
			t.Fatalf("we accept %s and write %s, the schema says %v", frame, out, err)
		}
	}
	if accepted < rounds/10 {
		t.Errorf("of %d frames %d were accepted: too few to say anything", rounds, accepted)
	}
}

// validFrames are the valid vectors in a fixed order.
func validFrames(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, vectors := range vectorFiles(t) {
		for _, v := range vectors {
			if v.Valid && v.FrameB64 == "" {
				out = append(out, string(v.Frame))
			}
		}
	}
	slices.Sort(out)
	return out
}

func spoiled(t *testing.T, random *rand.Rand, seeds []string) []byte {
	t.Helper()
	var tree, donor any
	for _, into := range []*any{&tree, &donor} {
		if err := json.Unmarshal([]byte(seeds[random.IntN(len(seeds))]), into); err != nil {
			t.Fatal(err)
		}
	}
	m := mutator{random, donor}
	for range 1 + random.IntN(2) {
		tree = m.mutate(tree)
	}
	frame, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}
