package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"

	"github.com/arcpkit/arcp/internal/proc"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// maxLogLine cuts lines of standard error, in bytes.
const maxLogLine = 8 << 10

// session is one job's conversation with its program.
type session struct {
	task    *runtime.Task
	process *proc.Process
	maxLine int
	input   chan []byte // lines for the program; closed by the reader of its output
	holds   map[string]*runtime.Hold
	held    int // holds ever
}

// run leads the conversation to its end and returns when the program is gone and all it said is recorded.
func (s *session) run(ctx context.Context, input []byte) error {
	var work sync.WaitGroup
	defer work.Wait()
	defer s.process.ClosePipes() // before the wait: it wakes whoever still reads or writes
	stop := context.AfterFunc(ctx, func() {
		s.process.End()
		s.process.ClosePipes()
	})
	defer stop()
	s.input <- input
	work.Go(s.feed)
	var logs sync.WaitGroup
	logs.Go(func() { s.relayLogs(ctx) })
	err := s.converse(ctx)
	logs.Wait()
	return err
}

// feed writes the program's input. One that does not read it is not held against it.
func (s *session) feed() {
	for line := range s.input {
		_, _ = s.process.Stdin.Write(line)
	}
	_ = s.process.Stdin.Close()
}

// converse reads the program's output to the line that ends the job, and sees the program off.
func (s *session) converse(ctx context.Context) error {
	in := newLines(s.process.Stdout, s.maxLine)
	done, err := false, error(nil)
	for !done && err == nil {
		done, err = s.step(ctx, in)
	}
	close(s.input)
	if errors.Is(err, io.EOF) {
		s.process.Leave()
		return arcp.NewError(arcp.CodeInternalError, "the agent program %s and gave no result", ending(s.process.Err()))
	}
	go func() { _, _ = io.Copy(io.Discard, s.process.Stdout) }() // it must be able to say its last words, unheard
	if done {
		s.process.Leave()
		return err
	}
	s.process.End()
	return err
}

// step takes one line. io.EOF is the end of the output; any other error without done ends the program at once.
func (s *session) step(ctx context.Context, in *lines) (done bool, err error) {
	line, err := in.next()
	switch {
	case errors.Is(err, io.EOF):
		return false, err
	case err != nil:
		return false, s.fault(in, err, line)
	case len(line) == 0:
		return false, nil
	}
	m, err := parseMessage(line)
	if err != nil {
		return false, s.fault(in, err, line)
	}
	switch {
	case m.Kind == "" && m.Result == nil && m.Error == nil:
		return false, s.answer(ctx, m)
	case m.Result != nil:
		return true, s.task.SetResult(arcp.RawJSON(m.Result))
	case m.Error != nil:
		failed, err := m.failure()
		if err != nil {
			return false, s.fault(in, err, line)
		}
		return true, failed
	}
	body, err := m.event()
	if err == nil {
		err = s.task.Emit(ctx, body)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, runtime.ErrJobOver) {
		return false, s.fault(in, err, line)
	}
	return false, err
}

// fault ends the job over a line; the operator's log gets its beginning.
func (s *session) fault(in *lines, problem error, line []byte) error {
	err := arcp.NewError(arcp.CodeInternalError, "%w", in.fault(problem))
	if errors.Is(problem, errLong) {
		err.Message += fmt.Sprintf(": %d bytes is the limit", s.maxLine)
		err.Retryable = false // it will be as long again
	}
	return &failed{err, fmt.Sprintf("the line begins with %q", line[:min(len(line), 200)])}
}

// relayLogs makes log events of standard error. It reads on when they cannot be recorded, or the program would block.
func (s *session) relayLogs(ctx context.Context) {
	in := newLines(s.process.Stderr, maxLogLine)
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if text := strings.ToValidUTF8(string(line), "\uFFFD"); strings.TrimSpace(text) != "" {
			_ = s.task.Emit(ctx, &arcp.LogBody{Level: arcp.LevelInfo, Message: text})
		}
	}
}

// ending says how a program ended.
func ending(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "ended"
	case errors.As(err, &exit):
		return "ended with " + exit.String()
	default:
		return "ended in a way that is not known"
	}
}
