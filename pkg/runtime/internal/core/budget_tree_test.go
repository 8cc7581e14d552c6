package core

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// ledger is one job's account in thousandths of one currency, kept by the definition: nothing is carried along, all is
// summed anew.
type ledger struct {
	b        *Budget
	parent   *ledger
	named    bool // has a grant of its own
	granted  int
	spent    int // by the job itself
	holds    []held
	children []*ledger
	over     bool
}

type held struct {
	hold  *Hold
	price int
}

// account is the nearest ledger with a grant.
func (l *ledger) account() *ledger {
	for !l.named {
		l = l.parent
	}
	return l
}

// used is what is spent or set aside of the grant of the account that l spends from, by l and all below it.
func (l *ledger) used() int {
	sum := l.spent
	for _, h := range l.holds {
		sum += h.price
	}
	for _, child := range l.children {
		used := child.used()
		if child.named && !child.over {
			used = max(used, child.granted)
		}
		sum += used
	}
	return sum
}

// paid is what was spent in the whole tree.
func (l *ledger) paid() int {
	sum := l.spent
	for _, child := range l.children {
		sum += child.paid()
	}
	return sum
}

func (l *ledger) left() int { return l.granted - l.used() }

func (l *ledger) end() {
	for _, child := range l.children {
		child.end()
	}
	for _, h := range l.holds {
		l.spent += h.price
	}
	l.holds, l.over = nil, true
}

func amount(t *testing.T, thousandths int) arcp.Amount {
	t.Helper()
	sign := ""
	if thousandths < 0 {
		sign, thousandths = "-", -thousandths
	}
	a, err := arcp.ParseAmount(fmt.Sprintf("%s%d.%03d", sign, thousandths/1000, thousandths%1000))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestBudgetTrees grows and fells random trees of delegations. After each step every job's rest is what the definition says,
// and while nobody overspends, what the tree has spent and set aside is within the root's grant. guards F1, F3, G1, G8
func TestBudgetTrees(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		honest := seed%2 == 0 // pays what was reserved at most
		granted := 1 + r.IntN(3000)
		root := &ledger{named: true, granted: granted}
		root.b = NewBudget(arcp.Budget{"USD": amount(t, granted)}, nil)
		all := []*ledger{root}
		for range 120 {
			all = grow(t, r, all, honest)
			judgeTree(t, seed, all, honest)
		}
		root.b.Return()
		root.end()
		if spent := root.b.Spent()["USD"]; spent.Cmp(amount(t, root.paid())) != 0 {
			t.Errorf("seed %d: the root says %s was spent, it was %d", seed, spent, root.paid())
		}
	}
}

// grow takes one step of one job.
func grow(t *testing.T, r *rand.Rand, all []*ledger, honest bool) []*ledger {
	l := all[r.IntN(len(all))]
	n := r.IntN(1 + r.IntN(900))
	price := arcp.Budget{"USD": amount(t, n)}
	left := l.account().left()
	may := !l.over && left > 0
	switch step := r.IntN(10); {
	case step < 3:
		named := r.IntN(4) > 0
		if !named {
			price = nil
		}
		child, err := l.b.Delegate(price)
		if want := may && (!named || n <= left); (err == nil) != want {
			t.Fatalf("Delegate(%d) of %d = %v", n, left, err)
		}
		if err == nil {
			c := &ledger{b: child, parent: l, named: named, granted: n}
			l.children = append(l.children, c)
			all = append(all, c)
		}
	case step < 6:
		h, err := l.b.Reserve(price)
		if want := may && n <= left; (err == nil) != want {
			t.Fatalf("Reserve(%d) of %d = %v", n, left, err)
		}
		if err == nil {
			l.holds = append(l.holds, held{h, n})
		}
	case step < 8:
		if len(l.holds) == 0 {
			break
		}
		i := r.IntN(len(l.holds))
		cost := r.IntN(l.holds[i].price + 1)
		if !honest {
			cost = r.IntN(2*l.holds[i].price + 1)
		}
		if err := l.holds[i].hold.Settle(arcp.Budget{"USD": amount(t, cost)}); err != nil {
			t.Fatal(err)
		}
		l.holds = slices.Delete(l.holds, i, i+1)
		l.spent += cost
	case step < 9 && !honest:
		if counted, err := l.b.Debit("USD", amount(t, n)); counted == l.over || err != nil {
			t.Fatalf("Debit = %v, %v of a job that is over: %v", counted, err, l.over)
		}
		if !l.over {
			l.spent += n
		}
	case step == 9 && l.parent != nil:
		l.b.Return()
		l.end()
	}
	return all
}

func judgeTree(t *testing.T, seed uint64, all []*ledger, honest bool) {
	root := all[0]
	for _, l := range all {
		if l.over {
			continue
		}
		left := l.account().left()
		if got := l.b.Remaining()["USD"]; got.Cmp(amount(t, left)) != 0 {
			t.Fatalf("seed %d: %s is left, want %d", seed, got, left)
		}
		if honest && left < 0 {
			t.Fatalf("seed %d: %d is left, and nobody overspent", seed, left)
		}
	}
	if honest && root.used() > root.granted || root.used() < root.paid() {
		t.Fatalf("seed %d: %d of %d is used, %d was paid", seed, root.used(), root.granted, root.paid())
	}
}
