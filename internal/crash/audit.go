package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
)

// Names of the clients that only look on. What the last one saw is what the runtime says in the end.
const (
	lookName  = "look"
	finalName = "final"
)

// audit reads the jobs of every principal from their beginning: in the end all of them, before that those that have ended.
func audit(ctx context.Context, dir, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, p := range principals() {
		if err := auditOf(ctx, dir, name, p); err != nil {
			return fmt.Errorf("the audit of %s: %w", p, err)
		}
	}
	return nil
}

func auditOf(ctx context.Context, dir, name, principal string) error {
	name += "-" + principal
	d, err := openDiary(dir, name, lives(dir, name))
	if err != nil {
		return err
	}
	d.lax = true
	s, err := client.Connect(ctx, &tap{dir: dir, diary: d}, &client.Options{Name: name, Token: tokenOf(principal)})
	if err != nil {
		d.close()
		return err
	}
	defer part(ctx, s, d)
	final := name == finalName+"-"+principal
	rows, err := settled(ctx, s, final)
	if err != nil {
		return err
	}
	for _, id := range rows {
		if err := readWhole(ctx, s, id); err != nil {
			return fmt.Errorf("job %s: %w", id, err)
		}
	}
	return nil
}

// part ends a session, and its diary when nobody writes into it any more.
func part(ctx context.Context, s *client.Session, d *diary) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = s.Close(ctx)
	<-s.Done()
	d.close()
}

// settled returns the jobs that have ended; with all it waits until there are no others.
func settled(ctx context.Context, s *client.Session, all bool) (ended []string, err error) {
	for {
		ended = ended[:0]
		open := ""
		for row, err := range s.Jobs(ctx, nil) {
			if err != nil {
				return nil, err
			}
			if row.Status == arcp.StatusRunning || row.Status == arcp.StatusPending {
				open = row.JobID
				continue
			}
			ended = append(ended, row.JobID)
		}
		if open == "" || !all {
			return ended, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("job %s does not end", open)
		}
	}
}

// readWhole reads all that is kept of a job. The frames are in the diary; that is what they are read for.
func readWhole(ctx context.Context, s *client.Session, id string) error {
	job, err := s.Subscribe(ctx, id, &client.SubscribeOptions{History: true})
	if first := firstKept(err); first > 1 {
		job, err = s.Subscribe(ctx, id, &client.SubscribeOptions{History: true, From: first - 1})
	}
	if err != nil {
		return err
	}
	for {
		if _, err := job.Next(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// firstKept is where a log begins that has lost its beginning, by the refusal of a subscribe; 0 when it says nothing of it.
func firstKept(err error) uint64 {
	var e *arcp.Error
	if !errors.As(err, &e) || e.Code != arcp.CodeResumeWindowExpired {
		return 0
	}
	var details struct {
		First uint64 `json:"first"`
	}
	if json.Unmarshal(e.Details, &details) != nil {
		return 0
	}
	return details.First
}
