package arcp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewID(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 1000 {
		id := NewID(PrefixJob)
		if seen[id] || len(id) != len(PrefixJob)+26 || !strings.HasPrefix(id, PrefixJob) || strings.Trim(id[4:], crockford) != "" {
			t.Fatalf("NewID = %q, seen before: %v", id, seen[id])
		}
		seen[id] = true
	}
}

func TestIDsSortByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := ""
		for range 100 {
			id := NewID(PrefixSession)
			if id <= last {
				t.Fatalf("NewID = %q a millisecond after %q", id, last)
			}
			last = id
			time.Sleep(time.Millisecond)
		}
	})
}

func TestAppendIDAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { buf = AppendID(buf[:0], PrefixMessage) }); n != 0 {
		t.Errorf("AppendID allocates %v times, want 0", n)
	}
}

func TestParseTraceID(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, c := range []struct{ in, want string }{
		{id, id},
		{"00-" + id + "-00f067aa0ba902b7-01", id},
		{strings.ToUpper(id), ""},
		{strings.Repeat("0", 32), ""},
		{"00-" + id + "-0000000000000000-01", ""},
		{"ff-" + id + "-00f067aa0ba902b7-01", ""},
		{"00-" + id, ""},
		{"", ""},
	} {
		if got, ok := ParseTraceID(c.in); got != c.want || ok != (c.want != "") {
			t.Errorf("ParseTraceID(%q) = %q, %v, want %q", c.in, got, ok, c.want)
		}
	}
	if got := Traceparent(id, "00f067aa0ba902b7"); got != "00-"+id+"-00f067aa0ba902b7-01" {
		t.Errorf("Traceparent = %q", got)
	}
	if got := Traceparent("x", "00f067aa0ba902b7"); got != "" {
		t.Errorf("Traceparent of a bad id = %q, want none", got)
	}
}
