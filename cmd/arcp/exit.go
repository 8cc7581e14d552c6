package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// Exit codes, of every command.
const (
	exitOK        = 0
	exitFailed    = 1 // the job ended with an error, or the command failed
	exitUsage     = 2 // the command line, or what it names, is wrong; nothing was sent
	exitCancelled = 3 // the job was cancelled
	exitTimedOut  = 4 // the job ran past its time
	exitRefused   = 5 // the runtime refused, or the connection would not have been safe
	exitNoLink    = 6 // there was no connection, or it was lost; the job may go on
)

const exitHelp = `Exit codes:
  0  success
  1  the job ended with an error, or the command failed
  2  the command line, or what it names, is wrong; nothing was sent
  3  the job was cancelled
  4  the job ran past its maximum run time
  5  the runtime refused the request, or the connection would not have been safe
  6  there was no connection, or it was lost; the job may go on`

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// exitCode gives the code of what a command returned. What no command has touched is the command line's fault.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	default:
		return exitUsage
	}
}

// classify gives an error of a command its exit code, and takes from its text what only a programmer wants to know.
func classify(err error) error {
	var e *exitError
	var protocol *arcp.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return err
	case errors.Is(err, context.Canceled):
		return &exitError{code: exitFailed, err: errors.New("interrupted")}
	case errors.Is(err, ws.ErrInsecure), errors.Is(err, client.ErrInsecure):
		return &exitError{code: exitRefused, err: fmt.Errorf("%w (--insecure)", err)}
	case errors.Is(err, client.ErrLinkLost), errors.Is(err, client.ErrSessionExpired), errors.Is(err, client.ErrTakenOver),
		errors.Is(err, client.ErrProtocol):
		return &exitError{code: exitNoLink, err: err}
	case errors.As(err, &protocol) && arcp.IsRemote(err):
		return &exitError{code: exitRefused, err: fmt.Errorf("the runtime refused: %w", protocol)}
	case errors.Is(err, arcp.CodeInvalidRequest):
		return &exitError{code: exitUsage, err: err}
	default:
		return &exitError{code: exitFailed, err: err}
	}
}

// jobError gives the error of a job its exit code.
func jobError(status arcp.JobStatus, err error) error {
	code := exitFailed
	switch {
	case err == nil:
		return nil
	case status == arcp.StatusCancelled:
		code = exitCancelled
	case status == arcp.StatusTimedOut:
		code = exitTimedOut
	case status == arcp.StatusError:
	default:
		return classify(err)
	}
	return &exitError{code: code, err: fmt.Errorf("the job ended as %s: %w", status, err)}
}
