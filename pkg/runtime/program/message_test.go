package program

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// What is taken for a message is a JSON object with one meaning, and its event passes for one.
func FuzzMessage(f *testing.F) {
	f.Add(`{"kind":"progress","body":{"current":1}}`)
	f.Add(`{"authorize":{"capability":"fs.read","target":"/a"}}`)
	f.Add(`{"result":null}`)
	f.Add(`{"call":{"tool":"t","args":[1]}}`)
	f.Add(`{"reserve":{"metric":"cost.a","price":{"USD":1.50}}}`)
	f.Add(`{"error":{"code":"TIMEOUT","message":"x","details":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMessage([]byte(text))
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
			t.Fatalf("parseMessage(%q) takes what is not a JSON object", text)
		}
		if m.Error != nil {
			if e, err := m.failure(); err == nil && (e.Code == "" || e.Message == "") {
				t.Fatalf("failure of %q = %+v, without a code or a message", text, e)
			}
		}
		if m.Kind != "" {
			if body, err := m.event(); err == nil && body.EventKind() != m.Kind {
				t.Fatalf("event of %q is of kind %q, want %q", text, body.EventKind(), m.Kind)
			}
		}
	})
}

func TestLines(t *testing.T) {
	t.Parallel()
	in := newLines(strings.NewReader("ab\r\n\n"+strings.Repeat("x", 100_000)+"\n12345\nend"), 5)
	for i, want := range []struct {
		text string
		err  error
	}{{"ab", nil}, {"", nil}, {"xxxxx", errLong}, {"12345", nil}, {"end", nil}, {"", io.EOF}} {
		got, err := in.next()
		if string(got) != want.text || err != want.err {
			t.Errorf("line %d = %q, %v, want %q, %v", i+1, got, err, want.text, want.err)
		}
	}
}

func TestAnswerLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, `{"authorized":true}` + "\n"},
		{arcp.NewError(arcp.CodeLeaseExpired, "too\nlate"), `{"authorized":false,"code":"LEASE_EXPIRED","message":"too\nlate"}` + "\n"},
		{io.EOF, `{"authorized":false,"code":"INTERNAL_ERROR","message":"EOF"}` + "\n"},
	} {
		if got := string(answer{}.line(c.err)); got != c.want {
			t.Errorf("line(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}
