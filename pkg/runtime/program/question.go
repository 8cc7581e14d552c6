package program

import (
	"context"
	"strconv"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// maxHolds bounds what a program may have set aside at once.
const maxHolds = 1000

// answer asks the gate what the program asks, and tells it.
func (s *session) answer(ctx context.Context, m *message) error {
	var a answer
	var err error
	switch {
	case m.Authorize != nil:
		err = s.authorize(ctx, m.Authorize)
	case m.Call != nil:
		a.Result, err = s.task.Call(ctx, m.Call.Tool, arcp.RawJSON(m.Call.Args))
	case m.Reserve != nil:
		a.Hold, err = s.reserve(ctx, m.Reserve)
	case m.Settle != nil:
		err = s.settle(ctx, m.Settle)
	}
	select {
	case s.input <- a.line(err):
	case <-s.process.Gone():
	}
	return ctx.Err()
}

func (s *session) authorize(ctx context.Context, q *question) error {
	if q.Capability == arcp.NamespaceModelUse {
		return s.task.UseModel(ctx, q.Target)
	}
	return s.task.Authorize(ctx, q.Capability, q.Target)
}

func (s *session) reserve(ctx context.Context, r *reservation) (string, error) {
	if len(s.holds) >= maxHolds {
		return "", arcp.NewError(arcp.CodeInvalidRequest, "more than %d reservations are not settled", maxHolds)
	}
	h, err := s.task.Reserve(ctx, r.Metric, r.Price)
	if err != nil {
		return "", err
	}
	if s.holds == nil {
		s.holds = map[string]*runtime.Hold{}
	}
	s.held++
	name := strconv.Itoa(s.held)
	s.holds[name] = h
	return name, nil
}

func (s *session) settle(ctx context.Context, q *settlement) error {
	h := s.holds[q.Hold]
	if h == nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "there is no reservation %.40q", q.Hold)
	}
	if err := h.Settle(ctx, q.Cost); err != nil {
		return err
	}
	delete(s.holds, q.Hold)
	return nil
}
