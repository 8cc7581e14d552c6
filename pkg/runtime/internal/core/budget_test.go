package core

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func money(t *testing.T, entries ...string) arcp.Budget {
	t.Helper()
	b, err := arcp.ParseBudgets(entries)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func holdsTo(t *testing.T, what string, b *Budget, want ...string) {
	t.Helper()
	if got := b.Remaining().Entries(); !slices.Equal(got, want) {
		t.Errorf("%s: %q is left, want %q", what, got, want)
	}
}

func refused(t *testing.T, what string, err *arcp.Error, code arcp.ErrorCode, says string) {
	t.Helper()
	if err == nil || !errors.Is(err, code) || !strings.Contains(err.Message, says) || code == arcp.CodeBudgetExhausted && err.Retryable {
		t.Errorf("%s = %v, want %s of %s", what, err, code, says)
	}
}

func debit(t *testing.T, b *Budget, currency, amount string, want bool) {
	t.Helper()
	if counted, err := b.Debit(currency, money(t, currency+":"+amount)[currency]); counted != want || err != nil {
		t.Errorf("Debit(%s:%s) = %v, %v, want %v", currency, amount, counted, err, want)
	}
}

// The draft's example 13.5: overspending is recorded, and only then refused. guards G7, G5, G9
func TestBudgetOverspend(t *testing.T) {
	t.Parallel()
	b := NewBudget(money(t, "USD:1.00", "EUR:1"), nil)
	debit(t, b, "USD", "0.42", true)
	holdsTo(t, "after a debit", b, "EUR:1", "USD:0.58")
	if err := b.Check(); err != nil {
		t.Errorf("Check = %v with money left", err)
	}
	debit(t, b, "USD", "0.70", true)
	holdsTo(t, "overspent", b, "EUR:1", "USD:-0.12")
	refused(t, "Check", b.Check(), arcp.CodeBudgetExhausted, "USD")
	debit(t, b, "USD", "1", true)
	debit(t, b, "JPY", "5", false)
	minus, err := arcp.ParseAmount("-1")
	if err != nil {
		t.Fatal(err)
	}
	_, refusal := b.Debit("USD", minus)
	refused(t, "Debit of less than nothing", refusal, arcp.CodeInvalidRequest, "USD")
	holdsTo(t, "at the end", b, "EUR:1", "USD:-1.12")
}

// Two operations cannot both have the last cent. guards G8
func TestBudgetReserve(t *testing.T) {
	t.Parallel()
	b := NewBudget(money(t, "USD:1.00"), money(t, "USD:0.99"))
	h, err := b.Reserve(money(t, "USD:0.01", "JPY:3"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Reserve(money(t, "USD:0"))
	refused(t, "Reserve behind the last cent", err, arcp.CodeBudgetExhausted, "USD")
	minus, _ := arcp.ParseAmount("-0.01")
	refused(t, "Settle below nothing", h.Settle(arcp.Budget{"USD": minus}), arcp.CodeInvalidRequest, "USD")
	holdsTo(t, "after a settlement refused", b, "USD:0.00")
	for range 2 { // a second settlement finds nothing to settle
		if err := h.Settle(money(t, "USD:0.004")); err != nil {
			t.Error(err)
		}
	}
	holdsTo(t, "settled for less", b, "USD:0.006")
	_, err = b.Reserve(money(t, "USD:0.0061"))
	refused(t, "Reserve of more than is left", err, arcp.CodeBudgetExhausted, "USD")
	_, err = b.Reserve(arcp.Budget{"USD": minus})
	refused(t, "Reserve of less than nothing", err, arcp.CodeInvalidRequest, "USD")
	if h, err = b.Reserve(money(t, "USD:0.006")); err != nil || h.Settle(money(t, "USD:0.01", "JPY:1")) != nil {
		t.Errorf("Reserve of all that is left = %v", err)
	}
	holdsTo(t, "settled for more", b, "USD:-0.004")
}

// What children are granted is set aside, and what they leave comes back. guards F3
func TestBudgetDelegate(t *testing.T) {
	t.Parallel()
	root := NewBudget(money(t, "USD:5", "EUR:1"), nil)
	child, err := root.Delegate(money(t, "USD:2"))
	if err != nil {
		t.Fatal(err)
	}
	holdsTo(t, "the parent", root, "EUR:1", "USD:3")
	holdsTo(t, "the child", child, "EUR:1", "USD:2")
	_, err = root.Delegate(money(t, "USD:3.01"))
	refused(t, "Delegate of more than is left", err, arcp.CodeLeaseSubsetViolation, "USD")
	_, err = root.Delegate(money(t, "JPY:1"))
	refused(t, "Delegate of what one has not", err, arcp.CodeLeaseSubsetViolation, "JPY")

	debit(t, child, "EUR", "0.25", true) // shared
	debit(t, child, "USD", "0.50", true) // its own
	holdsTo(t, "the parent of a child that spends", root, "EUR:0.75", "USD:3")
	grandchild, err := child.Delegate(money(t, "USD:1"))
	if err != nil {
		t.Fatal(err)
	}
	debit(t, grandchild, "USD", "4", true)
	holdsTo(t, "whoever overspends takes it", grandchild, "EUR:0.75", "USD:-3")
	holdsTo(t, "from its parent", child, "EUR:0.75", "USD:-2.50")
	holdsTo(t, "and from that one's", root, "EUR:0.75", "USD:0.50")
	_, err = grandchild.Delegate(nil)
	refused(t, "Delegate by the exhausted", err, arcp.CodeBudgetExhausted, "USD")

	other, err := root.Delegate(money(t, "USD:0.50"))
	if err != nil {
		t.Fatal(err)
	}
	hold, err := other.Reserve(money(t, "USD:0.20", "EUR:0.05"))
	if err != nil {
		t.Fatal(err)
	}
	other.Return()
	holdsTo(t, "a hold nobody settled is spent", root, "EUR:0.70", "USD:0.30")
	if err := hold.Settle(nil); err != nil {
		t.Error(err)
	}
	child.Return() // and the grandchild with it
	child.Return()
	holdsTo(t, "when the children have ended", root, "EUR:0.70", "USD:0.30")
	for _, ended := range []*Budget{child, grandchild, other} {
		refused(t, "Check of what has ended", ended.Check(), arcp.CodeBudgetExhausted, "")
		debit(t, ended, "USD", "1", false)
	}
	holdsTo(t, "after late debits", root, "EUR:0.70", "USD:0.30")
	if got := root.Spent().Entries(); !slices.Equal(got, []string{"EUR:0.30", "USD:4.70"}) {
		t.Errorf("the root has spent %q", got)
	}
}

// Leaving the budget out does not lift it. guards F1
func TestBudgetOmitted(t *testing.T) {
	t.Parallel()
	root := NewBudget(money(t, "USD:1"), nil)
	child, err := root.Delegate(nil)
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := child.Delegate(money(t, "USD:0.75"))
	if err != nil {
		t.Fatal(err)
	}
	holdsTo(t, "a grandchild's grant comes from the root", root, "USD:0.25")
	child.Return()
	refused(t, "Check below what has ended", grandchild.Check(), arcp.CodeBudgetExhausted, "")
	holdsTo(t, "and goes back to it", root, "USD:1.00")
	if NewBudget(nil, nil).Check() != nil {
		t.Error("what has no budget is exhausted")
	}
}
