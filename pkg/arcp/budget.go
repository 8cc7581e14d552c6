package arcp

import (
	"errors"
	"maps"
	"slices"
	"strconv"
)

// Budget is an exact amount of each of some currencies (§9.6): what is granted, spent or left. As JSON it is an object of
// numbers. A currency that is absent has no amount at all, which is not 0. Its methods change no operand; a budget shared
// between goroutines is not changed.
type Budget map[string]Amount

var errCurrency = errors.New("names a currency again")

// ParseBudgets reads entries as cost.budget and max_budget list them. An entry that does not parse or names a currency again
// is an INVALID_REQUEST, a *ValidationError with its index as the pointer.
func ParseBudgets(entries []string) (Budget, error) {
	budget := make(Budget, len(entries))
	if found := budget.read(entries, ""); found != nil {
		return nil, &ValidationError{Findings: found}
	}
	return budget, nil
}

// Add returns b + o by currency, with the currencies of both.
func (b Budget) Add(o Budget) Budget {
	sum := make(Budget, len(b))
	maps.Copy(sum, b)
	for currency, amount := range o {
		sum[currency] = sum[currency].Add(amount)
	}
	return sum
}

// Sub returns b - o by currency, with the currencies of both.
func (b Budget) Sub(o Budget) Budget {
	rest := make(Budget, len(b))
	maps.Copy(rest, b)
	for currency, amount := range o {
		rest[currency] = rest[currency].Sub(amount)
	}
	return rest
}

// Cap returns b held to the ceilings of o: the lesser amount of a currency that both have, and the ceiling of one that b has
// not, for there b is not limited.
func (b Budget) Cap(o Budget) Budget {
	held := make(Budget, len(b))
	maps.Copy(held, b)
	for currency, ceiling := range o {
		if amount, ok := b[currency]; !ok || amount.Cmp(ceiling) > 0 {
			held[currency] = ceiling
		}
	}
	return held
}

// Contains says whether b has at least the amounts of o, in each currency of o. In a currency that b has not it has nothing,
// not even 0.
func (b Budget) Contains(o Budget) bool {
	for currency, amount := range o {
		if has, ok := b[currency]; !ok || has.Cmp(amount) < 0 {
			return false
		}
	}
	return true
}

// Exhausted returns the first currency, by name, of which nothing is left (§9.6); ok says that there is one.
func (b Budget) Exhausted() (currency string, ok bool) {
	for _, currency := range b.Currencies() {
		if b[currency].Sign() <= 0 {
			return currency, true
		}
	}
	return "", false
}

// Currencies returns the currencies in the order of their names.
func (b Budget) Currencies() []string { return slices.Sorted(maps.Keys(b)) }

// Entries returns b as cost.budget lists it, in the order of the currencies.
func (b Budget) Entries() []string {
	entries := make([]string, 0, len(b))
	for _, currency := range b.Currencies() {
		entries = append(entries, currency+":"+b[currency].String())
	}
	return entries
}

// MarshalJSON returns an object of numbers, every digit written, in the order of the currencies; null for nil.
func (b Budget) MarshalJSON() ([]byte, error) {
	if b == nil {
		return []byte("null"), nil
	}
	text, ok := appendAmounts(nil, b)
	if !ok {
		return nil, unencodable("budget")
	}
	return text, nil
}

// read adds the entries of a list to b, and returns those that it refuses with pointers below at.
func (b Budget) read(entries []string, at string) (found []Finding) {
	for i, entry := range entries {
		currency, amount, err := ParseBudget(entry)
		if _, again := b[currency]; err == nil && again {
			err = errCurrency
		}
		if err != nil {
			found = append(found, Finding{Pointer: at + "/" + strconv.Itoa(i), Problem: err.Error()})
			continue
		}
		b[currency] = amount
	}
	return found
}
