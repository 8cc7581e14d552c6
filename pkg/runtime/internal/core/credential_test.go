package core

import (
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

const settle = 20 * time.Second

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// revokeDue answers all that is due with success.
func revokeDue(c *Credentials, now time.Duration) (refs []string) {
	due, _ := c.Due(now)
	for i := range due {
		refs = append(refs, due[i].Request+"/"+due[i].Handle)
		c.Revoked(&due[i], epoch.Add(now), now)
	}
	return refs
}

func TestCredentialsLive(t *testing.T) {
	t.Parallel()
	c := NewCredentials("r1", epoch, settle)
	if due, _ := c.Due(0); len(due) != 0 || c.Done() {
		t.Fatal("an intent is to be revoked, or forgotten")
	}
	c.Issued("r1", []Made{{"a", "h1"}, {"b", "h2"}})
	if err := c.Rotate("a", "r2", epoch); err != nil {
		t.Fatal(err)
	}
	if err := c.Rotate("a", "r3", epoch); arcp.CodeOf(err) != arcp.CodeInvalidRequest {
		t.Errorf("a second rotation at the same time = %v", err)
	}
	if err := c.Rotate("nobody", "r3", epoch); arcp.CodeOf(err) != arcp.CodeInvalidRequest {
		t.Errorf("a rotation of what is not there = %v", err)
	}
	c.Rotated("r2", "h3")
	if refs := revokeDue(&c, 0); len(refs) != 1 || refs[0] != "r1/h1" {
		t.Errorf("after a rotation %v are revoked, want the old value", refs)
	}
	c.End()
	if refs := revokeDue(&c, 0); len(refs) != 2 || !c.Done() {
		t.Errorf("after the end %v are revoked, want both values", refs)
	}
	if err := c.Rotate("a", "r4", epoch); err == nil {
		t.Error("a rotation after the end is taken")
	}
}

// Every answer that comes after the end leads to a revocation.
func TestCredentialsLate(t *testing.T) {
	t.Parallel()
	issued := NewCredentials("r1", epoch, settle)
	issued.End()
	issued.Issued("r1", []Made{{"a", "h1"}})
	if refs := revokeDue(&issued, 0); len(refs) != 1 || !issued.Done() {
		t.Errorf("a late Issue: %v revoked", refs)
	}
	rotated := NewCredentials("r1", epoch, settle)
	rotated.Issued("r1", []Made{{"a", "h1"}})
	if err := rotated.Rotate("a", "r2", epoch); err != nil {
		t.Fatal(err)
	}
	rotated.End()
	if refs := revokeDue(&rotated, 0); len(refs) != 1 || rotated.Done() {
		t.Errorf("at the end %v are revoked, want the live one; the intent is waited for", refs)
	}
	rotated.Rotated("r2", "h2")
	if refs := revokeDue(&rotated, 0); len(refs) != 1 || refs[0] != "r2/h2" || !rotated.Done() {
		t.Errorf("a late Rotate: %v revoked", refs)
	}
}

// A request of which nobody knows what became is revoked by its id, and once more when it cannot be under way any more.
func TestCredentialsUnknown(t *testing.T) {
	t.Parallel()
	failed := NewCredentials("r1", epoch, settle)
	failed.Failed("r1")
	found := CredentialsAt(NewCredentials("r1", epoch, settle).Mints, settle)
	for name, c := range map[string]*Credentials{"failed": &failed, "found after a kill": &found} {
		if refs := revokeDue(c, 0); len(refs) != 1 || refs[0] != "r1/" || c.Done() || !c.Tried() {
			t.Errorf("%s: %v revoked at once", name, refs)
		}
		if due, next := c.Due(time.Second); len(due) != 0 || next != settle {
			t.Errorf("%s: next at %v, want %v", name, next, settle)
		}
		if refs := revokeDue(c, settle); len(refs) != 1 || !c.Done() {
			t.Errorf("%s: %v revoked in the end", name, refs)
		}
	}
}

func TestCredentialsUnrevocable(t *testing.T) {
	t.Parallel()
	c := NewCredentials("r1", epoch, settle)
	c.Issued("r1", []Made{{"a", "h1"}, {"b", "h2"}})
	c.End()
	now, tries := time.Duration(0), 0
	for told := 0; told < 2; {
		due, next := c.Due(now)
		if len(due) == 0 {
			if next <= now || next > now+revokeLast {
				t.Fatalf("at %v the next is %v", now, next)
			}
			now = next
			continue
		}
		for i := range due {
			tries++
			if c.Unrevoked(&due[i], due[i].ID == "b", now) {
				told++
			}
		}
	}
	var n MintCounts
	c.Count(&n)
	if tries != revokeTries+1 || n != (MintCounts{Unrevocable: 2}) {
		t.Errorf("after %d tries %+v, want %d and two unrevocable", tries, n, revokeTries+1)
	}
	if refs := revokeDue(&c, now+revokeLast); len(refs) != 2 || !c.Done() {
		t.Errorf("in the end %v are revoked", refs)
	}
}
