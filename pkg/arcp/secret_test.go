package arcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// guards H1
func TestSecretIsShownNowhere(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	s := MakeSecret(canary)
	type holder struct {
		Public  Secret
		private Secret
		List    []Secret
		Map     map[string]*Secret
	}
	h := holder{Public: s, private: s, List: []Secret{s}, Map: map[string]*Secret{"k": &s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, s, &s, h, &h)
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("x", "secret", s, "holder", h, "pointer", &s)
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	out.WriteString(s.String())
	fmt.Fprintln(&out, s)
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the secret leaks:\n%s", out.String())
	}
	if s.Reveal() != canary || h.private.Reveal() != canary {
		t.Errorf("Reveal() = %q, want %q", s.Reveal(), canary)
	}
}

func TestSecretZeroAndEqual(t *testing.T) {
	t.Parallel()
	var zero Secret
	if !zero.IsZero() || !MakeSecret("").IsZero() || zero.String() != "" || zero.Reveal() != "" {
		t.Error("the zero secret is not absent")
	}
	a, b := MakeSecret("a"), MakeSecret("a")
	if !a.Equal(b) || a.Equal(MakeSecret("b")) || a.Equal(zero) || a.IsZero() {
		t.Error("Equal does not compare the texts")
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	a, b := NewToken(), NewToken()
	if a.Equal(b) || len(a.Reveal()) != len(PrefixToken)+43 || !strings.HasPrefix(a.Reveal(), PrefixToken) {
		t.Errorf("NewToken() = %q, %q, want two that differ, of 256 bits", a.Reveal(), b.Reveal())
	}
	h, err := ParseTokenHash(HashToken(a.Reveal()).String())
	if err != nil || !h.Equal(HashToken(a.Reveal())) || h.Equal(HashToken(b.Reveal())) {
		t.Errorf("ParseTokenHash = %v, %v: does not match its own token only", h, err)
	}
	for _, bad := range []string{"", "ab", strings.Repeat("g", 64), strings.Repeat("a", 66)} {
		if _, err := ParseTokenHash(bad); err == nil {
			t.Errorf("ParseTokenHash(%q) gave no error", bad)
		}
	}
}
