package jsonx

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want, texts string }{
		{"one", `1`, "1|1.0|1e0|10e-1|0.1E+1|0.10e1|1.000|100e-00002"},
		{"zero", `0`, "0|-0|0.0|0e5|0.000e-7|-0.0"},
		{"hundred", `1e2`, "100|1e2|1.00e+2|0.001e5"},
		{"negative", `-15e-1`, "-1.5|-15e-1|-0.15E1"},
		{"beyond float", `1e400`, "1e400|10e399"},
		{"beyond int64 exponent", `1e99999999999999999999`, "1e99999999999999999999|10e99999999999999999998"},
		{"long", `9007199254740993`, "9007199254740993|9007199254740993.0"},
		{"string", `"aé/\n"`, `"aé/\n"|"\u0061\u00e9\/\u000A"`},
		{"object", `{"a":{"x":1,"y":2},"b":[1,2]}`, `{"b":[1.0, 2],"a":{"y":2e0,"x":1}}| { "a" : {"x":1,"\u0079":2},"b":[1,2]}`},
		{"byte order of names", `{"":0,"A":0,"a":0,"é":0}`, `{"é":0,"a":0,"A":0,"":0}`},
		{"literals", `[null,true,false,[],{}]`, `[ null , true , false , [ ] , { } ]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for text := range strings.SplitSeq(c.texts, "|") {
				got, err := AppendCanonical(nil, []byte(text))
				if err != nil || string(got) != c.want {
					t.Errorf("Canonical(%s) = %s, %v, want %s", text, got, err, c.want)
				}
			}
		})
	}
	for a, b := range map[string]string{
		`[1,2]`: `[2,1]`, `9007199254740993`: `9007199254740992`, `"1"`: `1`, `null`: `{}`, `"a"`: `"A"`, `0.1`: `0.10000000000000001`,
	} {
		ca, errA := AppendCanonical(nil, []byte(a))
		cb, errB := AppendCanonical(nil, []byte(b))
		if errA != nil || errB != nil || string(ca) == string(cb) {
			t.Errorf("Canonical(%s) = %s, %v and Canonical(%s) = %s, %v, want them to differ", a, ca, errA, b, cb, errB)
		}
	}
	for _, text := range []string{``, `{`, `[1`, `{"a"}`, `{"a":1,"a":1}`, `1 2`, `nul`, "\"\xff\"", `[1,]`, `{"a":1,}`, `]`} {
		if got, err := AppendCanonical(nil, []byte(text)); err == nil {
			t.Errorf("Canonical(%q) = %s, want an error", text, got)
		}
	}
}

// FuzzCanonical checks that the canonical form keeps the value, with big.Rat as judge of numbers, and is a fixed point.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,-0e3],"b":"\u0061"}`, `1e-3`, `{"":{}}`, `[null]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := AppendCanonical(nil, text)
		var any1, any2 any
		errStrict := Scan(text)
		if (err == nil) != (errStrict == nil) {
			t.Fatalf("Canonical(%q) error %v, Scan error %v", text, err, errStrict)
		}
		if err != nil {
			return
		}
		again, err := AppendCanonical(nil, got)
		if err != nil || string(again) != string(got) {
			t.Fatalf("Canonical(%s) = %s, %v, not a fixed point", got, again, err)
		}
		if err := stdDecode(text, &any1); err != nil {
			t.Fatalf("Canonical accepts %q, encoding/json says %v", text, err)
		}
		if err := stdDecode(got, &any2); err != nil || !sameValue(any1, any2) {
			t.Fatalf("Canonical(%q) = %s, another value (%v)", text, got, err)
		}
	})
}

func stdDecode(text []byte, out *any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return d.Decode(out)
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(string(a), string(b))
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !sameValue(v, w) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}

func sameNumber(a, b string) bool {
	if i := strings.IndexAny(a, "eE"); i >= 0 && len(a)-i > 5 {
		return true // too large for the judge
	}
	x, ok1 := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok1 && ok2 && x.Cmp(y) == 0
}
