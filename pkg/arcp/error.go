package arcp

import (
	"context"
	"errors"
	"fmt"
)

// Error returns the code as it stands on the wire. A code is an error of its own, so that
// errors.Is(err, arcp.CodeJobNotFound) asks what went wrong whoever wrapped it.
func (c ErrorCode) Error() string { return string(c) }

// ErrorCode returns c; see Coded.
func (c ErrorCode) ErrorCode() ErrorCode { return c }

// Coded is an error that knows its code. Error, ErrorCode and the errors of Decode and Validate are.
type Coded interface {
	error
	ErrorCode() ErrorCode
}

// Error is a failure with its code, as session.error and job.error carry it (§12). What an agent returns as one ends its
// job with that code and text; a refusal or the failure of a job reaches a client as one. It is immutable once shared.
type Error struct {
	// Code says what went wrong; unknown codes pass through.
	Code ErrorCode
	// Message says what was refused or failed, for people; never a secret, a path or a stack.
	Message string
	// Retryable says whether the same request may succeed later.
	Retryable bool
	// Details is a JSON object with more, or nil.
	Details RawJSON

	remote bool
	cause  error
}

// NewError returns an error with the code's own retryability. The format is that of fmt.Errorf: what %w names is kept for
// errors.Is and never written to the wire by itself.
func NewError(code ErrorCode, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Retryable: code.Retryable(), cause: errors.Unwrap(err)}
}

// RemoteError returns what the other side reported, for which IsRemote is true.
func RemoteError(code ErrorCode, message string, retryable bool, details RawJSON) *Error {
	return &Error{Code: code, Message: message, Retryable: retryable, Details: details, remote: true}
}

// Error returns the code and the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Message
}

// ErrorCode returns Code; see Coded.
func (e *Error) ErrorCode() ErrorCode { return e.Code }

// Is says whether target is e's code.
func (e *Error) Is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && code == e.Code
}

// Unwrap returns the local error behind e, nil for none.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of err, whatever err is: that of the first Coded error in its tree, CANCELLED and TIMEOUT for
// the errors of a context, INTERNAL_ERROR for anything else, and "" for nil.
func CodeOf(err error) ErrorCode {
	var coded Coded
	switch {
	case err == nil:
		return ""
	case errors.As(err, &coded):
		return coded.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout
	case errors.Is(err, context.Canceled):
		return CodeCancelled
	default:
		return CodeInternalError
	}
}

// IsRemote says whether the other side reported err, rather than this one having made it.
func IsRemote(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.remote
}
