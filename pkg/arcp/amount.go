package arcp

import (
	"errors"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// maxAmountDigits bounds an amount that is read, so that no text costs more than it weighs (§9.6). The results of Add and
// Sub are exact and may be longer.
const maxAmountDigits = LimitAmountDigits

// Amount is an exact decimal, of which currency is said elsewhere: the budget on the wire maps currencies to amounts, and
// ParseBudget reads both from an entry of a lease. It is a value: methods never change it, the zero value is 0, and it may
// be copied and shared. Compare amounts with Cmp, for 5 and 5.00 are equal and differ in text.
type Amount struct {
	// Never given out: a bare apd.Decimal marshals without its digits, and shares memory with its copies.
	d apd.Decimal
}

var errAmount = errors.New("is not a decimal number of at most 38 digits")

// ParseAmount reads a decimal: digits, an optional sign and fraction, and, as JSON numbers have, an optional exponent. At
// most 38 digits are taken, those that an exponent adds included. NaN, Infinity, "+5", ".5" and "5." are refused.
func ParseAmount(s string) (Amount, error) {
	mantissa, exponent, hasExponent := cutExponent(s)
	whole, fraction, ok := cutDecimal(strings.TrimPrefix(mantissa, "-"))
	if !ok || len(whole)+len(fraction) > maxAmountDigits {
		return Amount{}, errAmount
	}
	shift := 0
	if hasExponent {
		if shift, ok = parseExponent(exponent); !ok {
			return Amount{}, errAmount
		}
	}
	var a Amount
	digits := strings.TrimLeft(whole+fraction, "0")
	if _, ok := a.d.Coeff.SetString(whole+fraction, 10); !ok {
		return Amount{}, errAmount
	}
	scale := shift - len(fraction)
	if digits != "" && (len(digits)+scale > maxAmountDigits || -scale > maxAmountDigits) {
		return Amount{}, errAmount
	}
	a.d.Exponent = int32(min(max(scale, -maxAmountDigits), 0))
	if scale > 0 {
		a.scaleUp(scale)
	}
	a.d.Negative = strings.HasPrefix(mantissa, "-") && digits != ""
	return a, nil
}

// ParseBudget reads an entry of cost.budget or max_budget: currency ":" digits ["." digits], without sign or exponent
// (§9.6).
func ParseBudget(entry string) (currency string, a Amount, err error) {
	currency, text, ok := strings.Cut(entry, ":")
	if !ok || !isCurrency(currency) {
		return "", Amount{}, errors.New(`is not of the form currency ":" amount`)
	}
	if _, _, ok := cutDecimal(text); !ok {
		return "", Amount{}, errAmount
	}
	a, err = ParseAmount(text)
	return currency, a, err
}

// Add returns a + b, exactly.
func (a Amount) Add(b Amount) Amount {
	var r Amount
	_, _ = apd.BaseContext.Add(&r.d, &a.d, &b.d) // exact: precision 0 rounds nothing, and exponents stay within the caps
	return r
}

// Sub returns a - b, exactly.
func (a Amount) Sub(b Amount) Amount {
	var r Amount
	_, _ = apd.BaseContext.Sub(&r.d, &a.d, &b.d)
	return r
}

// Shift returns a with its decimal point moved to the left by a few places, which must not be negative, exactly.
func (a Amount) Shift(places uint8) Amount {
	var r Amount
	r.d.Set(&a.d)
	r.d.Exponent -= int32(places)
	return r
}

// Cmp returns -1, 0 or +1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) int { return a.d.Cmp(&b.d) }

// Sign returns -1, 0 or +1.
func (a Amount) Sign() int { return a.d.Sign() }

// IsZero says whether a is 0.
func (a Amount) IsZero() bool { return a.d.Sign() == 0 }

// String returns the digits, as AppendNumber writes them.
func (a Amount) String() string { return string(a.AppendNumber(nil)) }

// AppendNumber appends a as a JSON number: every digit, no exponent, never "-0".
func (a Amount) AppendNumber(dst []byte) []byte {
	if a.d.IsZero() {
		a.d.Negative = false
	}
	return a.d.Append(dst, 'f')
}

// MarshalJSON returns a JSON number.
func (a Amount) MarshalJSON() ([]byte, error) { return a.AppendNumber(nil), nil }

// UnmarshalJSON reads a JSON number from its exact text, or a string with one, as some peers write amounts.
func (a *Amount) UnmarshalJSON(text []byte) error {
	s := string(text)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	v, err := ParseAmount(s)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// MarshalText returns the digits.
func (a Amount) MarshalText() ([]byte, error) { return a.AppendNumber(nil), nil }

// UnmarshalText reads what ParseAmount does.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := ParseAmount(string(text))
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// scaleUp makes a coefficient of a positive exponent, so that the text of an amount has none.
func (a *Amount) scaleUp(n int) {
	ten := apd.NewBigInt(10)
	for range n {
		a.d.Coeff.Mul(&a.d.Coeff, ten)
	}
}

func cutExponent(s string) (mantissa, exponent string, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// cutDecimal reads digits ["." digits].
func cutDecimal(s string) (whole, fraction string, ok bool) {
	whole, fraction, point := strings.Cut(s, ".")
	return whole, fraction, isDigits(whole) && (!point || isDigits(fraction))
}

// parseExponent reads an exponent; one of more than two digits is out of any amount's range.
func parseExponent(s string) (int, bool) {
	sign := 1
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if !isDigits(s) || len(s) > 2 {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return sign * n, err == nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
