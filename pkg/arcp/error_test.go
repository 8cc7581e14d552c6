package arcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want ErrorCode
	}{
		{"nil", nil, ""},
		{"code", CodeTimeout, CodeTimeout},
		{"error", NewError(CodeJobNotFound, "no such job"), CodeJobNotFound},
		{"wrapped", fmt.Errorf("list: %w", NewError(CodeJobNotFound, "x")), CodeJobNotFound},
		{"error over a context", NewError(CodeLeaseExpired, "x: %w", context.Canceled), CodeLeaseExpired},
		{"deadline", fmt.Errorf("x: %w", context.DeadlineExceeded), CodeTimeout},
		{"cancelled", context.Canceled, CodeCancelled},
		{"other", io.EOF, CodeInternalError},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%s: CodeOf(%v) = %q, want %q", c.name, c.err, got, c.want)
		}
	}
}

func TestDraftCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[ErrorCode]ErrorCode{
		CodeRateLimited: CodeInternalError, CodeBackpressure: CodeInternalError,
		CodeProtocolViolation: CodeInvalidRequest, CodeTimeout: CodeTimeout, "MADE_UP": "MADE_UP",
	} {
		if got := code.Draft(); got != want {
			t.Errorf("%s.Draft() = %s, want %s", code, got, want)
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("submit: %w", NewError(CodeAgentNotAvailable, "agent %q: %w", "x", io.EOF))
	if !errors.Is(err, CodeAgentNotAvailable) || errors.Is(err, CodeTimeout) || !errors.Is(err, io.EOF) {
		t.Errorf("errors.Is of %v does not see its code and cause only", err)
	}
	var e *Error
	if !errors.As(err, &e) || !e.Retryable || e.Message != `agent "x": EOF` {
		t.Errorf("errors.As = %+v, want the default retryability and the text", e)
	}
	if IsRemote(err) || !IsRemote(fmt.Errorf("x: %w", RemoteError(CodeTimeout, "m", true, nil))) {
		t.Error("IsRemote does not tell who made the error")
	}
}
