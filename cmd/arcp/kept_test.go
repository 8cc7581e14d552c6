package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
	"github.com/arcpkit/arcp/pkg/transport"
)

// A session that is resumed has another token, and what is kept of it is kept again.
func TestKeptSessionsRenewed(t *testing.T) {
	t.Parallel()
	k := keptSessions(filepath.Join(t.TempDir(), "sessions"))
	if err := k.prepare(); err != nil {
		t.Fatal(err)
	}
	rt, err := arcprt.New(&arcprt.Options{AllowAnyone: true})
	if err != nil {
		t.Fatal(err)
	}
	links := make(chan transport.Conn, 2)
	d := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
		ours, theirs := transport.Pipe()
		go func() { _ = rt.Serve(context.Background(), theirs) }()
		links <- ours
		return ours, nil
	})
	s, err := client.Connect(t.Context(), d, &client.Options{Reconnect: &client.Reconnect{Initial: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.save("job_1", "ws://a/", s, false); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(k.path("job_1"))
	if err != nil {
		t.Fatal(err)
	}
	kept := k.renew("job_1", "ws://a/", s, func(line string) { t.Error(line) })
	_ = (<-links).Close("cut")
	<-links
	for _, err := range s.Jobs(t.Context(), nil) { // answered over the second link
		t.Error(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept()
	if after, err := os.ReadFile(k.path("job_1")); err != nil || bytes.Equal(before, after) {
		t.Errorf("the session was resumed and is kept as it was, %v", err)
	}
}

// connected opens a session with a runtime in this process.
func connected(t *testing.T, o arcprt.Options, agents map[string]arcprt.AgentFunc) *client.Session {
	t.Helper()
	o.AllowAnyone = true
	rt, err := arcprt.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	for ref, agent := range agents {
		if err := rt.Handle(ref, agent); err != nil {
			t.Fatal(err)
		}
	}
	d := transport.DialerFunc(func(context.Context) (transport.Conn, error) {
		ours, theirs := transport.Pipe()
		go func() { _ = rt.Serve(context.Background(), theirs) }()
		return ours, nil
	})
	s, err := client.Connect(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func TestKeptSessions(t *testing.T) {
	t.Parallel()
	k := keptSessions(filepath.Join(t.TempDir(), "sessions"))
	if err := k.prepare(); err != nil {
		t.Fatal(err)
	}
	first, second := connected(t, arcprt.Options{}, nil), connected(t, arcprt.Options{}, nil)
	for _, step := range []struct {
		session *client.Session
		replace bool
		want    *client.Session
	}{
		{first, false, first},
		{second, false, first}, // a job found by its key is the first one's
		{second, true, second},
	} {
		if err := k.save("job_1", "ws://a/", step.session, step.replace); err != nil {
			t.Fatal(err)
		}
		if state, url, err := k.load("job_1"); err != nil || url != "ws://a/" || state.SessionID() != step.want.ID() {
			t.Errorf("load = %s, %q, %v, want session %s", state.SessionID(), url, err, step.want.ID())
		}
	}
	if files, err := os.ReadDir(string(k)); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v, want one file", files, err)
	}
	k.forget("job_1")
	if _, _, err := k.load("job_1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load of what was forgotten = %v", err)
	}
}

// What is over is not used and does not stay; what is broken is told without its secret, and stays for its owner to see.
func TestKeptSessionsOver(t *testing.T) {
	t.Parallel()
	k := keptSessions(t.TempDir())
	for id, text := range map[string]string{
		"over":   `{"url":"ws://a/","expires":"2020-01-01T00:00:00Z","state":"` + keptState(t) + `"}`,
		"old":    `{"url":"ws://a/","expires":"2020-01-01T00:00:00Z","state":""}`,
		"broken": `{"url":"ws://a/","expires":"2999-01-01T00:00:00Z","state":"c2VjcmV0"}`,
		"none":   `c2VjcmV0`,
	} {
		if err := os.WriteFile(k.path(id), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := k.load("over"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load(over) = %v", err)
	}
	k.sweepNow()
	for id, stays := range map[string]bool{"over": false, "old": false, "broken": true, "none": true} {
		if _, err := os.Stat(k.path(id)); (err == nil) != stays {
			t.Errorf("%s: stays = %t", id, err == nil)
		}
	}
	for _, id := range []string{"broken", "none"} {
		if _, _, err := k.load(id); err == nil || strings.Contains(err.Error(), "c2VjcmV0") || !strings.Contains(err.Error(), "not a kept session") {
			t.Errorf("load(%s) = %v", id, err)
		}
	}
}

// keptState is a state as it stands in a file.
func keptState(t *testing.T) string {
	t.Helper()
	state, err := connected(t, arcprt.Options{}, nil).State().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := dynjson.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(string(text), `"`)
}

// No id leads out of the folder, and no two share a file.
func TestKeptPath(t *testing.T) {
	t.Parallel()
	const k = keptSessions("folder")
	seen := map[string]string{}
	for _, id := range []string{"job_1", "../token", "a/b", "a\\b", "..", "", ".", "a:b", "CON.x", strings.Repeat("a", 101), "a\x00b"} {
		path := k.path(id)
		name := filepath.Base(path)
		if filepath.Dir(path) != "folder" || !plainID.MatchString(strings.TrimSuffix(name, ".json")) {
			t.Errorf("path(%q) = %q", id, path)
		}
		if other, taken := seen[path]; taken {
			t.Errorf("path(%q) = path(%q)", id, other)
		}
		seen[path] = id
	}
}

// Who watches a job whose log has lost its head is told how much, and sees the rest.
func TestObserveWithoutTheHead(t *testing.T) {
	t.Parallel()
	const all, few = 4000, 50
	read := make(chan struct{})
	chatty := func(ctx context.Context, task *arcprt.Task) error {
		for n := range all {
			if n%few == few-1 {
				<-read // the log keeps more than this, so the submitter misses nothing
			}
			if err := task.Log(ctx, arcp.LevelInfo, strings.Repeat("x", 1000), nil); err != nil {
				return err
			}
		}
		return nil
	}
	s := connected(t, arcprt.Options{Limits: arcprt.Limits{LogBytes: 1 << 20}}, map[string]arcprt.AgentFunc{"chatty": chatty})
	submitted, err := s.Submit(t.Context(), &arcp.JobSubmit{Agent: "chatty"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range submitted.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%few == few-1 {
			read <- struct{}{}
		}
	}
	var told []string
	job, err := observe(t.Context(), s, submitted.ID(), func(line string) { told = append(told, line) })
	if err != nil || len(told) != 1 || !strings.Contains(told[0], "does not keep the first") {
		t.Fatalf("observe = %v, told %q", err, told)
	}
	seen := 0
	for _, err := range job.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if seen == 0 || seen >= all {
		t.Errorf("%d of %d events were seen", seen, all)
	}
}

func TestPastTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*3600)
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, zone)
	for text, want := range map[string]string{
		"90m":                       "2026-03-04T08:30:00Z",
		"0s":                        "2026-03-04T10:00:00Z",
		"2026-03-01":                "2026-02-28T22:00:00Z",
		"2026-03-01T01:02:03Z":      "2026-03-01T01:02:03Z",
		"2026-03-01T01:02:03+01:00": "2026-03-01T00:02:03Z",
		"-1h":                       "",
		"yesterday":                 "",
		"":                          "",
	} {
		got, err := pastTime(text, now)
		if (err != nil) != (want == "") || err == nil && got.Format(time.RFC3339) != want {
			t.Errorf("pastTime(%q) = %v, %v, want %q", text, got, err, want)
		}
	}
}
