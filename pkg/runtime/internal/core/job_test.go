package core

import (
	"math"
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

const grace = 10 * time.Second

// A step of a job's life, by name, at a second.
type jobStep struct {
	at int
	do string
}

// TestJobLives holds whole lives against how they must end. Each life ends once: guards C2, C3, C4, C12.
func TestJobLives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		steps  []jobStep
		status arcp.JobStatus
		code   arcp.ErrorCode
		fenced bool
	}{
		{"success", []jobStep{{1, "return"}}, arcp.StatusSuccess, "", false},
		{"failure", []jobStep{{1, "fail"}}, arcp.StatusError, arcp.CodePermissionDenied, false},
		{"failure that is a timeout", []jobStep{{1, "fail timeout"}}, arcp.StatusTimedOut, arcp.CodeTimeout, false},
		{"cancel, then success", []jobStep{{1, "cancel"}, {2, "return"}}, arcp.StatusCancelled, arcp.CodeCancelled, false},
		{"cancel, then failure", []jobStep{{1, "cancel"}, {2, "fail"}}, arcp.StatusCancelled, arcp.CodeCancelled, false},
		{"cancel, ignored", []jobStep{{1, "cancel"}, {10, "tick"}, {11, "tick"}}, arcp.StatusCancelled, arcp.CodeCancelled, true},
		{"deadline", []jobStep{{59, "tick"}, {60, "tick"}, {61, "return"}}, arcp.StatusTimedOut, arcp.CodeTimeout, false},
		{"deadline, ignored", []jobStep{{60, "tick"}, {70, "tick"}}, arcp.StatusTimedOut, arcp.CodeTimeout, true},
		{"deadline before cancel", []jobStep{{60, "tick"}, {61, "cancel"}, {62, "return"}}, arcp.StatusTimedOut, arcp.CodeTimeout, false},
		{"cancel before deadline", []jobStep{{55, "cancel"}, {60, "tick"}, {61, "return"}}, arcp.StatusCancelled, arcp.CodeCancelled, false},
		{"shutdown", []jobStep{{1, "shutdown"}, {2, "return"}}, arcp.StatusError, arcp.CodeInternalError, false},
		{"return at the deadline", []jobStep{{60, "return"}, {60, "tick"}}, arcp.StatusSuccess, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := NewJob(0, time.Minute, grace, Expiry{})
			j.Start()
			ends := 0
			var last JobEffects
			for _, s := range append(c.steps, jobStep{100, "return"}, jobStep{101, "tick"}, jobStep{102, "shutdown"}) {
				if fx := live(&j, s); fx.Success || fx.Terminal != nil {
					ends++
					last = fx
				}
			}
			code := arcp.ErrorCode("")
			if last.Terminal != nil {
				code = last.Terminal.Code
			}
			if ends != 1 || last.Status != c.status || code != c.code || last.Fence != c.fenced || j.Status() != c.status {
				t.Errorf("%d ends, the last %s %s fenced %v; want 1, %s %s %v", ends, last.Status, code, last.Fence, c.status, c.code, c.fenced)
			}
		})
	}
}

func live(j *Job, s jobStep) JobEffects {
	now := time.Duration(s.at) * time.Second
	switch s.do {
	case "return":
		return j.Return(nil)
	case "fail":
		return j.Return(arcp.NewError(arcp.CodePermissionDenied, "no"))
	case "fail timeout":
		return j.Return(arcp.NewError(arcp.CodeTimeout, "slow"))
	case "cancel":
		return j.Cancel(true, "", now)
	case "shutdown":
		return j.Shutdown(now)
	default:
		return j.Tick(now)
	}
}

func TestCancelAnswers(t *testing.T) {
	t.Parallel()
	j := NewJob(0, 0, grace, Expiry{})
	j.Start()
	if fx := j.Cancel(false, "", 1); fx.Refuse == nil || fx.Refuse.Code != arcp.CodePermissionDenied || fx.Stop != NoCause {
		t.Errorf("cancel by another session = %+v, want PERMISSION_DENIED and nothing done", fx)
	}
	if fx := j.Cancel(true, "first", 1); !fx.Ack || fx.Stop != Cancelled || fx.Timer != 1+grace {
		t.Errorf("first cancel = %+v", fx)
	}
	if fx := j.Cancel(true, "second", time.Duration(5e9)); !fx.Ack || fx.Stop != NoCause || fx.Timer != 1+grace || j.Reason() != "first" {
		t.Errorf("second cancel = %+v, reason %q: want the same answer and no change", fx, j.Reason())
	}
	late := NewJob(0, time.Second, grace, Expiry{})
	late.Tick(time.Second)
	if fx := late.Cancel(true, "", time.Second); fx.Refuse == nil || fx.Ack {
		t.Errorf("cancel of a job that times out = %+v, want a refusal: it will not end as cancelled", fx)
	}
	j.Return(nil)
	if fx := j.Cancel(true, "", 2); fx.Refuse == nil || fx.Refuse.Code != arcp.CodeInvalidRequest {
		t.Errorf("cancel after the end = %+v, want INVALID_REQUEST", fx)
	}
}

// TestFarDeadlines do not overflow. guards C11.
func TestFarDeadlines(t *testing.T) {
	t.Parallel()
	j := NewJob(time.Hour, math.MaxInt64, math.MaxInt64, Expiry{})
	if fx := j.Start(); fx.Timer != math.MaxInt64 {
		t.Errorf("timer = %v, want the farthest there is", fx.Timer)
	}
	if fx := j.Cancel(true, "", time.Hour); fx.Timer != math.MaxInt64 {
		t.Errorf("timer = %v, want the farthest there is", fx.Timer)
	}
}
