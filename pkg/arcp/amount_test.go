package arcp

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// guards G1, G2
func TestParseAmount(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 38)
	for _, c := range []struct{ in, want string }{ // want "" for refused
		{"5.00", "5.00"},
		{"0", "0"},
		{"-0.00", "0.00"},
		{"007", "7"},
		{"-1.5", "-1.5"},
		{"1e3", "1000"},
		{"1.25E+1", "12.5"},
		{"5e-7", "0.0000005"},
		{"0e99", "0"},
		{nines, nines},
		{nines + "9", ""},
		{"1e38", ""},
		{"1e-39", ""},
		{"1e100", ""},
		{"", ""},
		{"-", ""},
		{"+5", ""},
		{".5", ""},
		{"5.", ""},
		{"1e", ""},
		{"1e+", ""},
		{"1e1e1", ""},
		{"NaN", ""},
		{"Infinity", ""},
		{"1_0", ""},
		{"٣", ""},
		{" 1", ""},
	} {
		a, err := ParseAmount(c.in)
		if (err == nil) != (c.want != "") || err == nil && a.String() != c.want {
			t.Errorf("ParseAmount(%q) = %s, %v, want %q", c.in, a, err, c.want)
		}
	}
}

func TestParseBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, currency, amount string }{ // amount "" for refused
		{"USD:5.00", "USD", "5.00"},
		{"x-tokens_1:0", "x-tokens_1", "0"},
		{"USD:-5", "", ""},
		{"USD:5e1", "", ""},
		{"USD:", "", ""},
		{":5", "", ""},
		{"1USD:5", "", ""},
		{"US D:5", "", ""},
		{strings.Repeat("U", 33) + ":5", "", ""},
		{"USD5", "", ""},
		{"USD:5:5", "", ""},
	} {
		currency, a, err := ParseBudget(c.in)
		if (err == nil) != (c.amount != "") || err == nil && (currency != c.currency || a.String() != c.amount) {
			t.Errorf("ParseBudget(%q) = %s, %s, %v, want %s, %q", c.in, currency, a, err, c.currency, c.amount)
		}
	}
}

func TestAmountJSON(t *testing.T) {
	t.Parallel()
	type row struct {
		Budget map[string]Amount `json:"budget"`
		One    Amount            `json:"one"`
	}
	const text = `{"budget":{"USD":4.99999999999999999999},"one":-0.10}`
	var r row
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(r); err != nil || string(out) != text {
		t.Errorf("Marshal = %s, %v, want %s", out, err, text)
	}
	if err := json.Unmarshal([]byte(`{"one":"1.5"}`), &r); err != nil || r.One.String() != "1.5" {
		t.Errorf("Unmarshal of a string = %s, %v, want 1.5", r.One, err)
	}
	if err := json.Unmarshal([]byte(`{"one":true}`), &r); err == nil {
		t.Error("Unmarshal of true gave no error")
	}
}

// Arithmetic leaves its operands as they were, copies included.
func TestAmountIsAValue(t *testing.T) {
	t.Parallel()
	a, _ := ParseAmount("99999999999999999999999999999999999999")
	b, _ := ParseAmount("0.0000000000000000000000000000000000001")
	c := a
	sum := a.Add(b)
	_ = sum.Sub(a).Sub(b)
	if got := sum.String(); got != "99999999999999999999999999999999999999.0000000000000000000000000000000000001" {
		t.Errorf("Add = %s, not exact", got)
	}
	if a.Cmp(c) != 0 || a.String() != "99999999999999999999999999999999999999" {
		t.Errorf("a = %s after Add and Sub, want it unchanged", a)
	}
}

func FuzzAmount(f *testing.F) {
	f.Add("5.00", "1e-3")
	f.Add("-0.1", "99999999999999999999999999999999999999")
	f.Fuzz(func(t *testing.T, x, y string) {
		a, errA := ParseAmount(x)
		b, errB := ParseAmount(y)
		if errA != nil || errB != nil {
			return
		}
		p, q := rat(t, x), rat(t, y)
		for _, c := range []struct {
			name string
			got  Amount
			want *big.Rat
		}{
			{"parse", a, p},
			{"add", a.Add(b), new(big.Rat).Add(p, q)},
			{"sub", a.Sub(b), new(big.Rat).Sub(p, q)},
		} {
			text := c.got.String()
			if rat(t, text).Cmp(c.want) != 0 || !json.Valid([]byte(text)) || strings.HasPrefix(text, "-") != (c.want.Sign() < 0) {
				t.Fatalf("%s of %q and %q = %s, want %s", c.name, x, y, text, c.want)
			}
		}
		if a.Cmp(b) != p.Cmp(q) || a.Sign() != p.Sign() {
			t.Fatalf("Cmp(%q, %q) = %d, want %d", x, y, a.Cmp(b), p.Cmp(q))
		}
	})
}

func rat(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q was read as an amount and is no number", s)
	}
	return r
}
