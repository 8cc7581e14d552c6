package term

import (
	"strings"
	"testing"
)

// guards T23
func TestLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"plain äöü 漢字", "plain äöü 漢字"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"\u009b2J", `\x9b2J`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\u202egpj.exe", `\u202egpj.exe`},
		{"\x00\x7f", `\x00\x7f`},
		{"bad \xff", "bad \ufffd"},
	} {
		if got := Line(c.in); got != c.want {
			t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestBlock(t *testing.T) {
	t.Parallel()
	if got, want := Block("one\r\ntwo\x1b\n\n", "  | "), "one\n  | two\\x1b"; got != want {
		t.Errorf("Block = %q, want %q", got, want)
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := Writer(&b)
	for _, p := range []string{"a\xc3", "\xa4\n\t", "\x1b]0;x\x07", "\xc2", "\x9b"} {
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatalf("Write(%q) = %d, %v", p, n, err)
		}
	}
	if got, want := b.String(), "aä\n\t"+`\x1b]0;x\x07\x9b`; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}
