package core

import (
	"testing"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// TestJobWaitsForWhatJoined: the way a job ends is decided by what came first, and it ends once nothing that joined is left. guards F4
func TestJobWaitsForWhatJoined(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		steps  []jobStep // after which the end is decided, and two have joined
		status arcp.JobStatus
		fenced bool
	}{
		{"success", []jobStep{{1, "return"}}, arcp.StatusSuccess, false},
		{"failure", []jobStep{{1, "fail"}}, arcp.StatusError, false},
		{"cancel", []jobStep{{1, "cancel"}, {2, "return"}}, arcp.StatusCancelled, false},
		{"cancel, ignored", []jobStep{{1, "cancel"}, {11, "tick"}}, arcp.StatusCancelled, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := NewJob(0, time.Minute, grace, Expiry{})
			j.Start()
			if first, second := j.Join(), j.Join(); !first || !second {
				t.Fatal("nothing may join a job that runs")
			}
			var fx JobEffects
			for _, s := range c.steps {
				fx = live(&j, s)
			}
			if !fx.Ending || fx.Fence != c.fenced || fx.Timer != 0 || fx.Success || fx.Terminal != nil || j.Over() || !j.Stopping() || j.Join() {
				t.Errorf("decided: %+v, over %v", fx, j.Over())
			}
			for _, do := range []string{"fail", "shutdown", "tick"} { // too late
				if fx := live(&j, jobStep{99, do}); fx != (JobEffects{}) {
					t.Errorf("%s = %+v once the end is decided", do, fx)
				}
			}
			if fx := j.Cancel(true, "", 0); fx.Ack != (c.status == arcp.StatusCancelled) || (fx.Refuse == nil) != fx.Ack || fx.Stop != NoCause {
				t.Errorf("a cancel of what is ending = %+v", fx)
			}
			if fx := j.Part(); fx != (JobEffects{}) || j.Over() {
				t.Errorf("ended with one left: %+v", fx)
			}
			if fx := j.Part(); fx.Status != c.status || fx.Success != (c.status == arcp.StatusSuccess) || j.Status() != c.status || fx.Ending {
				t.Errorf("with none left: %+v", fx)
			}
		})
	}
}

// TestJobWithoutWhatJoined: what has parted holds nothing up.
func TestJobWithoutWhatJoined(t *testing.T) {
	t.Parallel()
	j := NewJob(0, time.Minute, grace, Expiry{})
	j.Start()
	j.Join()
	if fx := j.Part(); fx != (JobEffects{Timer: time.Minute}) {
		t.Errorf("Part = %+v, want the timer of the deadline only", fx)
	}
	if fx := j.Return(nil); !fx.Success {
		t.Errorf("Return = %+v", fx)
	}
	if j.Join() {
		t.Error("a child began of a job that has ended")
	}
	lost := NewJob(0, 0, grace, Expiry{})
	lost.Join()
	lost.Return(nil)
	lost.Lose()
	if fx := lost.Part(); fx != (JobEffects{}) {
		t.Errorf("Part of a job that is elsewhere = %+v", fx)
	}
}
