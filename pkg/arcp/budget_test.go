package arcp

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guards G2, G4
func TestParseBudgets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		entries []string
		want    string // the entries that come back; empty for refused
		finding string // a part of the error
	}{
		{[]string{}, "", ""},
		{[]string{"USD:5.00", "EUR:1"}, "EUR:1 USD:5.00", ""},
		{[]string{"USD:0"}, "USD:0", ""},
		{[]string{"EUR:1", "USD:NaN"}, "", "/1 is not a decimal"},
		{[]string{"USD:Infinity"}, "", "/0 "},
		{[]string{"USD:1e9"}, "", "/0 "},
		{[]string{"USD:+1"}, "", "/0 "},
		{[]string{"USD:-0"}, "", "/0 "},
		{[]string{"USD:-1"}, "", "/0 "},
		{[]string{"USD:1:2"}, "", "/0 "},
		{[]string{"USD:0x1"}, "", "/0 "},
		{[]string{"USD:1_000"}, "", "/0 "},
		{[]string{"USD:.5"}, "", "/0 "},
		{[]string{"USD:5."}, "", "/0 "},
		{[]string{"USD: 5"}, "", "/0 "},
		{[]string{"USD:"}, "", "/0 "},
		{[]string{"USD"}, "", "/0 "},
		{[]string{"US$:1"}, "", "/0 "},
		{[]string{"USD:" + strings.Repeat("1", 200)}, "", "/0 "},
		{[]string{"USD:0." + strings.Repeat("0", 200)}, "", "/0 "},
		{[]string{"USD:4", "EUR:1", "USD:4"}, "", "/2 names a currency again"},
	} {
		got, err := ParseBudgets(c.entries)
		if strings.Join(got.Entries(), " ") != c.want || (err == nil) != (c.finding == "") {
			t.Errorf("ParseBudgets(%.60q) = %v, %v, want %q", c.entries, got, err, c.want)
		}
		if err != nil && (!errors.Is(err, CodeInvalidRequest) || !strings.Contains(err.Error(), c.finding)) {
			t.Errorf("ParseBudgets(%.60q) = %v, want INVALID_REQUEST with %q", c.entries, err, c.finding)
		}
	}
}

func TestBudgetArithmetic(t *testing.T) {
	t.Parallel()
	a := mustBudget(t, "USD:1.00", "EUR:2")
	b := mustBudget(t, "USD:0.1", "JPY:7")
	for _, c := range []struct {
		name string
		got  Budget
		want []string
	}{
		{"Add", a.Add(b), []string{"EUR:2", "JPY:7", "USD:1.10"}},
		{"Sub", a.Sub(b), []string{"EUR:2", "JPY:-7", "USD:0.90"}},
		{"Cap", a.Cap(mustBudget(t, "USD:0.5", "EUR:3", "JPY:7")), []string{"EUR:2", "JPY:7", "USD:0.5"}},
		{"Add to nil", Budget(nil).Add(b), []string{"JPY:7", "USD:0.1"}},
	} {
		if got := c.got.Entries(); !slices.Equal(got, c.want) {
			t.Errorf("%s = %q, want %q", c.name, got, c.want)
		}
	}
	if !slices.Equal(a.Entries(), []string{"EUR:2", "USD:1.00"}) {
		t.Errorf("a is %q after it was used", a.Entries())
	}
}

// A ceiling of a request is held to the same grammar before anything is done with it. guards G2
func TestMaxBudgetValidate(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"USD:NaN", "USD:1e9", "USD:+1", "USD:-0", "USD:1:2", "USD", "", "USD:" + strings.Repeat("1", 200)} {
		submit := &JobSubmit{Agent: "a", LeaseConstraints: &LeaseConstraints{MaxBudget: []string{"EUR:1.50", bad}}}
		if err := submit.Validate(); !errors.Is(err, CodeInvalidRequest) || !strings.Contains(err.Error(), "/lease_constraints/max_budget/1 ") {
			t.Errorf("Validate with the ceiling %.20q = %v, want INVALID_REQUEST of max_budget/1", bad, err)
		}
	}
}

// Ten times a tenth leaves nothing, and not a little. guards G1
func TestBudgetExhausted(t *testing.T) {
	t.Parallel()
	left, tenth := mustBudget(t, "USD:1.00", "EUR:1"), mustBudget(t, "USD:0.10")
	for i := range 10 {
		if currency, ok := left.Exhausted(); ok {
			t.Fatalf("%s is exhausted after %d tenths", currency, i)
		}
		left = left.Sub(tenth)
	}
	if currency, ok := left.Exhausted(); !ok || currency != "USD" {
		t.Errorf("after ten tenths %q is exhausted, %v; want USD", currency, ok)
	}
	if _, ok := Budget(nil).Exhausted(); ok {
		t.Error("what has no budget is exhausted")
	}
}

func TestBudgetContains(t *testing.T) {
	t.Parallel()
	b := mustBudget(t, "USD:1.00", "EUR:0")
	for _, c := range []struct {
		entries string
		want    bool
	}{{"USD:1", true}, {"USD:1.0000000001", false}, {"EUR:0", true}, {"JPY:0", false}, {"USD:0.5 JPY:1", false}, {"", true}} {
		if got := b.Contains(mustBudget(t, strings.Fields(c.entries)...)); got != c.want {
			t.Errorf("Contains(%s) = %v, want %v", c.entries, got, c.want)
		}
	}
}

func TestBudgetJSON(t *testing.T) {
	t.Parallel()
	b := mustBudget(t, "USD:4.99999999999999999999999999999999999", "EUR:1.50")
	text, err := json.Marshal(map[string]Budget{"budget": b.Sub(mustBudget(t, "EUR:2")), "none": nil})
	if want := `{"budget":{"EUR":-0.50,"USD":4.99999999999999999999999999999999999},"none":null}`; err != nil || string(text) != want {
		t.Errorf("Marshal = %s, %v, want %s", text, err, want)
	}
	var back Budget
	if err := json.Unmarshal([]byte(`{"EUR":1.50}`), &back); err != nil || back["EUR"].String() != "1.50" {
		t.Errorf("Unmarshal = %v, %v", back, err)
	}
}

var budgetGrammar = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9_-]{0,31}:([0-9]+)(?:\.([0-9]+))?\z`)

// An entry is read exactly if the grammar has it. guards G2
func FuzzParseBudget(f *testing.F) {
	for _, entry := range []string{"USD:5.00", "USD:-0", "a:1e9", "x_-:0.0", "USD:1:2", "USD:" + strings.Repeat("9", 38), "USD:٣"} {
		f.Add(entry)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		currency, a, err := ParseBudget(entry)
		m := budgetGrammar.FindStringSubmatch(entry)
		if want := m != nil && len(m[1])+len(m[2]) <= 38; (err == nil) != want {
			t.Fatalf("ParseBudget(%q) = %v, the grammar says %v", entry, err, want)
		}
		if err == nil && (currency != entry[:strings.Index(entry, ":")] || rat(t, a.String()).Cmp(rat(t, entry[len(currency)+1:])) != 0) {
			t.Fatalf("ParseBudget(%q) = %s, %s", entry, currency, a)
		}
	})
}

var amountGrammar = regexp.MustCompile(`\A-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z`)

// What is read as an amount is a number of the grammar, however it is written. guards G2
func FuzzParseAmount(f *testing.F) {
	for _, text := range []string{"5.00", "NaN", "1e9", "+1", "-0", ".5", "5.", "0x1", "1_0", "1e-38", "١"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAmount(text)
		if err != nil {
			return
		}
		if !amountGrammar.MatchString(text) || rat(t, text).Cmp(rat(t, a.String())) != 0 {
			t.Fatalf("ParseAmount(%q) = %s", text, a)
		}
	})
}

// An amount of any length is refused for no more than it takes to look at it. guards G3
func TestParseAmountLong(t *testing.T) {
	for _, text := range []string{strings.Repeat("9", 1<<20), "1E+1000000000", "1e" + strings.Repeat("9", 1<<20), "0." + strings.Repeat("0", 1<<20) + "1"} {
		var err error
		if n := testing.AllocsPerRun(1, func() { _, err = ParseAmount(text) }); n > 0 || err == nil {
			t.Errorf("ParseAmount of %d characters took %v allocations and gave %v, want an error and none", len(text), n, err)
		}
	}
}

func mustBudget(t *testing.T, entries ...string) Budget {
	t.Helper()
	b, err := ParseBudgets(entries)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
