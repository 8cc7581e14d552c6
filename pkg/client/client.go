// Package client talks to a runtime: it opens a session, submits jobs and follows them.
//
// A Session outlives its links: when one is lost it dials again, resumes, and sends again what was not answered, so that every
// event comes once and in order and a submit happens once. Its reader never waits for anybody: events go into a queue of their job,
// and who does not read one job's events holds up neither the others nor results nor cancels.
//
//	dialer := &ws.Dialer{URL: "ws://127.0.0.1:7979/arcp", Subprotocol: arcp.Subprotocol}
//	s, err := client.Connect(ctx, dialer, &client.Options{Name: "demo", Token: token})
//	job, err := s.Submit(ctx, &arcp.JobSubmit{Agent: "indexer"})
//	for ev, err := range job.Events(ctx) { … }
//	result, err := job.Result(ctx)
package client

import "errors"

// Errors that this side makes; test with errors.Is. What the runtime refuses or reports is an *arcp.Error for which arcp.IsRemote is true.
var (
	// ErrLinkLost says that the link ended before the answer and that it was not, or could not be, made again: the job may well go on.
	// It wraps the cause.
	ErrLinkLost = errors.New("client: link lost")
	// ErrSessionExpired says that the runtime does not know the session any more, or not all that was missed of it (§6.3). Its jobs may
	// well go on. It wraps the refusal.
	ErrSessionExpired = errors.New("client: session expired")
	// ErrTakenOver says that somebody else resumed the session, with its state (§6.3).
	ErrTakenOver = errors.New("client: session taken over by another link")
	// ErrClosed says that Close ended the session. What it cut short is ErrLinkLost, too.
	ErrClosed = errors.New("client: session closed")
	// ErrInsecure says that a token would have gone over the network in clear (§14).
	ErrInsecure = errors.New("client: refusing to send a token in clear; use TLS, or set Insecure")
	// ErrProtocol says that the runtime broke the protocol, by a gap in its numbers for one, and that the link was closed for it.
	ErrProtocol = errors.New("client: the runtime broke the protocol")
	// ErrUnsubscribed ends what waited for a job when it was unsubscribed from.
	ErrUnsubscribed = errors.New("client: unsubscribed")
	// ErrEventsShed says that events, or a result, were dropped here because nobody read them in time, and that they cannot be had again.
	ErrEventsShed = errors.New("client: events shed, the reader is behind")
	// ErrResult says that a streamed result did not come whole and in order.
	ErrResult = errors.New("client: broken result")
	// ErrBusy says that another goroutine is reading the same thing.
	ErrBusy = errors.New("client: read by another goroutine")
)
