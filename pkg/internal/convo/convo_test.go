package convo

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/arcpkit/arcp/pkg/transport"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want, got, problem string
	}{
		{"equal", `{"a":[1,{"b":null}],"c":"x"}`, `{"c":"x","a":[1,{"b":null}]}`, ""},
		{"number as written", `{"a":1.0}`, `{"a":1}`, "/a is 1"},
		{"missing", `{"a":1}`, `{}`, "/a is missing"},
		{"unexpected", `{}`, `{"a":1}`, "/a is not expected"},
		{"open", `{"...":0}`, `{"a":1}`, ""},
		{"open inside", `{"p":{"...":0}}`, `{"p":{"a":1},"q":2}`, "/q is not expected"},
		{"any", `{"a":"*"}`, `{"a":{"b":1}}`, ""},
		{"name twice", `["$x","$x"]`, `["1","1"]`, ""},
		{"name differs", `["$x","$x"]`, `["1","2"]`, `/1 is "2", $x was "1"`},
		{"name inside", `["$x","a.$x"]`, `["1","a.1"]`, ""},
		{"name is a string", `["$x"]`, `[1]`, "/0 is 1"},
		{"length", `[1]`, `[1,2]`, "has 2 elements"},
		{"type", `{}`, `[]`, "the frame is []"},
		{"null", `{"a":{}}`, `{"a":null}`, "/a is null"},
		{"not JSON", `{}`, `{`, "no JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := vars{}.match(c.want, c.got)
			if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
				t.Errorf("match(%s, %s) = %v, want %q", c.want, c.got, err, c.problem)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, problem string }{
		{"empty", "words\n-- conversation --\n", "no steps"},
		{"other file", "-- talk --\n> {}\n", `:1: file "talk"`},
		{"unknown step", "-- conversation --\n> {}\n? {}\n", ":3: no step begins"},
		{"unknown event", "words\n-- conversation --\n! open\n", ":3: ! open"},
		{"time", "-- conversation --\n~ long\n", ":2: time"},
		{"goes on", "-- conversation --\n  {}\n", ":2: goes on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("x", txtar.Parse([]byte(c.text)))
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("parse = %v, want %q", err, c.problem)
			}
		})
	}
}

func TestPlay(t *testing.T) {
	t.Parallel()
	s, err := parse("x", txtar.Parse([]byte(`-- conversation --
@ say hello there
> {"id":"$id",
   "text":"hello there"}
< {"re":"$id"}
@ heard {"re":"7"}
! quiet
~ 24h
@ leave now
! closed
`)))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		a, b := transport.Pipe()
		s.Play(t, Runtime, a, HostFunc(func(t *testing.T, verb, args string) error {
			switch verb {
			case "say":
				if err := b.Write([]byte(`{"id":"7","text":"` + args + `"}`)); err != nil {
					return err
				}
				return b.Flush()
			case "heard":
				frame, err := b.Read(nil)
				if err == nil && string(frame) != args {
					t.Errorf("heard %s, want %s", frame, args)
				}
				return err
			default:
				return b.Close(args)
			}
		}))
	})
}
