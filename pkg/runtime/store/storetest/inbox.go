package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

var inboxTests = []contract{
	{"commands come in order", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		s.post("a", "b")
		in := s.inbox(1)
		s.post("c")
		s.wantCommands(in, "a", "b", "c")
	}},
	{"Next waits", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		got := s.next(s.inbox(1))
		s.post("late")
		if a := s.answer(got); a.err != nil || a.Kind != "late" || string(a.Data) != "late" {
			s.Errorf("Next = %+v", a)
		}
	}},
	{"a command is taken once", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		one, two := s.next(s.inbox(1)), s.next(s.inbox(1))
		s.post("a")
		s.post("b")
		if a, b := s.answer(one), s.answer(two); a.Kind+b.Kind != "ab" && a.Kind+b.Kind != "ba" {
			s.Errorf("two inboxes took %q and %q", a.Kind, b.Kind)
		}
	}},
	{"what was not taken goes to the next owner", func(t *testing.T, s *bench) {
		s.join("b")
		s.create("a", jobKey)
		old := s.inbox(1)
		s.post("a")
		s.acquire("b", jobKey)
		_, err := old.Next(t.Context())
		s.wantErr("the old owner's Next", err, store.ErrFenced)
		s.wantCommands(s.inbox(2), "a")
	}},
	{"a waiting Next is fenced", func(t *testing.T, s *bench) {
		s.join("b")
		s.create("a", jobKey)
		got := s.next(s.inbox(1))
		s.acquire("b", jobKey)
		s.wantErr("Next over Acquire", s.answer(got).err, store.ErrFenced)
		got = s.next(s.inbox(2))
		if err := s.Release(t.Context(), jobKey, 2); err != nil {
			t.Fatal(err)
		}
		s.wantErr("Next over Release", s.answer(got).err, store.ErrFenced)
		s.acquire("b", jobKey)
		got = s.next(s.inbox(3))
		s.do(store.Op{Key: jobKey, Epoch: 3, Delete: true})
		s.wantErr("Next over Delete", s.answer(got).err, store.ErrFenced)
	}},
	{"Close ends Next", func(_ *testing.T, s *bench) {
		s.create("n", jobKey)
		in := s.inbox(1)
		got := s.next(in)
		in.Close()
		s.wantErr("Next over Close", s.answer(got).err, store.ErrClosed)
		in.Close()
		got = s.next(s.inbox(1))
		if err := s.Store.Close(); err != nil {
			s.Fatal(err)
		}
		s.wantErr("Next over the store's Close", s.answer(got).err, store.ErrClosed)
	}},
	{"the context ends Next", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		_, err := s.inbox(1).Next(ended(t))
		s.wantErr("Next", err, context.Canceled)
	}},
	{"an inbox is the owner's", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		_, err := s.Inbox(t.Context(), jobKey, 2)
		s.wantErr("Inbox at a wrong epoch", err, store.ErrFenced)
		_, err = s.Inbox(t.Context(), sessionKey, 1)
		s.wantErr("Inbox of no key", err, store.ErrNotFound)
		s.wantErr("Post to no key", s.Post(t.Context(), sessionKey, store.Command{}), store.ErrNotFound)
	}},
	{"unread commands are bounded", func(t *testing.T, s *bench) {
		s.create("n", jobKey)
		for range 1 << 17 {
			if err := s.Post(t.Context(), jobKey, store.Command{Kind: "x"}); err != nil {
				s.wantErr("Post", err, store.ErrFull)
				return
			}
		}
		t.Error("Post never said ErrFull")
	}},
}

func (s *bench) post(kinds ...string) {
	s.Helper()
	for _, k := range kinds {
		if err := s.Post(s.Context(), jobKey, store.Command{Kind: k, Data: []byte(k)}); err != nil {
			s.Fatalf("Post(%s) = %v", k, err)
		}
	}
}

func (s *bench) inbox(epoch store.Epoch) store.Inbox {
	s.Helper()
	in, err := s.Inbox(s.Context(), jobKey, epoch)
	if err != nil {
		s.Fatalf("Inbox(%d) = %v", epoch, err)
	}
	s.Cleanup(in.Close)
	return in
}

// command is what a Next returned.
type command struct {
	store.Command
	err error
}

func (s *bench) next(in store.Inbox) <-chan command {
	c := make(chan command, 1)
	go func() {
		got, err := in.Next(s.Context())
		c <- command{got, err}
	}()
	return c
}

func (s *bench) answer(c <-chan command) command {
	s.Helper()
	select {
	case a := <-c:
		return a
	case <-time.After(patience):
		s.Fatal("Next did not return")
		return command{err: errors.New("no answer")}
	}
}

func (s *bench) wantCommands(in store.Inbox, want ...string) {
	s.Helper()
	var got []string
	for range want {
		c, err := in.Next(s.Context())
		if err != nil {
			s.Fatalf("Next() = %v", err)
		}
		got = append(got, c.Kind)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("commands %q, want %q", got, want)
	}
}
