package core

import (
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Job decides the life of one job: pending, running, then exactly one terminal state (§7.3).
//
// The first cause to stop it decides how it ends, whatever the agent returns afterwards. An agent that does not return
// within the grace is fenced: the terminal is written without it.
type Job struct {
	status   arcp.JobStatus
	cause    Cause
	reason   string        // of a cancel
	deadline time.Duration // on the monotonic clock; 0 is none
	expiry   Expiry        // of its lease
	fence    time.Duration // when the grace ends; 0 while nothing stops the job
	grace    time.Duration
	joined   int         // what has to end before the job
	final    *JobEffects // how the job ends once nothing has to; nil while that is not decided
}

// Cause says why a job was told to stop.
type Cause uint8

// The causes. NoCause is a job nobody stopped.
const (
	NoCause Cause = iota
	Cancelled
	TimedOut
	Stopped // the runtime shuts down
	Expired // its lease has ended
)

// NewJob returns a pending job. A maxRuntime of 0 is no limit.
func NewJob(now, maxRuntime, grace time.Duration, expiry Expiry) Job {
	j := Job{status: arcp.StatusPending, grace: grace, expiry: expiry}
	if maxRuntime > 0 {
		j.deadline = later(now, maxRuntime)
	}
	return j
}

// JobEffects is what a step wants done, in the order of the fields.
type JobEffects struct {
	Refuse   *arcp.Error    // answer the asker with this and do nothing else
	Ack      bool           // answer the asker with job.cancelled
	Stop     Cause          // tell the agent to stop, for this cause
	Terminal *arcp.Error    // write the terminal for this error
	Status   arcp.JobStatus // the final status of the terminal
	Success  bool           // write the terminal for the agent's result
	Fence    bool           // the agent has not returned: it may no longer act
	Ending   bool           // the agent may no longer act, and what has joined must end: the terminal waits for it
	Timer    time.Duration  // when to call Tick next, on the monotonic clock; 0 is never
}

// Status returns the job's state.
func (j *Job) Status() arcp.JobStatus { return j.status }

// Reason returns the reason of the first cancel.
func (j *Job) Reason() string { return j.reason }

// Over says whether the job has its terminal.
func (j *Job) Over() bool { return j.status != arcp.StatusPending && j.status != arcp.StatusRunning }

// Stopping says whether something has told the job to stop, or it is about to end.
func (j *Job) Stopping() bool { return j.cause != NoCause || j.final != nil }

// Decided returns the error the job ends with once nothing that joined is left; nil for success, and while that is not decided.
func (j *Job) Decided() *arcp.Error {
	if j.final == nil {
		return nil
	}
	return j.final.Terminal
}

// Join says that something began that must end before the job does, as a child. It is false once the job stops: then nothing may begin.
func (j *Job) Join() bool {
	if j.Over() || j.Stopping() {
		return false
	}
	j.joined++
	return true
}

// Part says that something which joined has ended.
func (j *Job) Part() JobEffects {
	j.joined--
	switch {
	case j.Over():
		return JobEffects{}
	case j.final == nil || j.joined > 0:
		return j.wait(JobEffects{})
	}
	fx := *j.final
	j.status = fx.Status
	return fx
}

// JobAt returns a job that another node has brought this far.
func JobAt(status arcp.JobStatus) Job { return Job{status: status} }

// Lose ends a job here that goes on elsewhere: nothing more is decided about it. It says whether the job had not ended.
func (j *Job) Lose() bool {
	if j.Over() {
		return false
	}
	j.status = arcp.StatusError
	return true
}

// Start makes a pending job run.
func (j *Job) Start() JobEffects {
	if j.status == arcp.StatusPending {
		j.status = arcp.StatusRunning
	}
	return j.wait(JobEffects{})
}

// Cancel is a request to end the job (§7.4); mine says whether the asker may. A repeated one gets the same answer and
// changes nothing.
func (j *Job) Cancel(mine bool, reason string, now time.Duration) JobEffects {
	switch {
	case !mine:
		return j.refuse(arcp.CodePermissionDenied, "only the session that submitted a job may cancel it")
	case j.Over():
		return j.refuse(arcp.CodeInvalidRequest, "the job has already ended")
	case j.final != nil && j.cause != Cancelled, j.cause != NoCause && j.cause != Cancelled:
		return j.refuse(arcp.CodeInvalidRequest, "the job is ending already")
	case j.cause == NoCause:
		j.reason = reason
	}
	return j.stop(Cancelled, now, JobEffects{Ack: true})
}

// Shutdown stops the job because the runtime stops.
func (j *Job) Shutdown(now time.Duration) JobEffects {
	if j.Over() || j.final != nil {
		return JobEffects{}
	}
	return j.stop(Stopped, now, JobEffects{})
}

// Expire stops the job because its lease has ended (§9.5), by whichever clock.
func (j *Job) Expire(now time.Duration) JobEffects {
	if j.Over() || j.final != nil {
		return JobEffects{}
	}
	if j.cause != NoCause {
		j.fence = min(j.fence, later(now, expiryGrace)) // what stops it already may have given it longer
	}
	return j.stop(Expired, now, JobEffects{})
}

// Tick says what time it is. It may be called at any time, and must be at JobEffects.Timer or soon after.
func (j *Job) Tick(now time.Duration) JobEffects {
	switch {
	case j.Over(), j.final != nil:
		return JobEffects{}
	case j.fence > 0 && now >= j.fence:
		return j.end(nil, JobEffects{Fence: true})
	case j.fence == 0 && j.deadline > 0 && now >= j.deadline:
		return j.stop(TimedOut, now, JobEffects{})
	case j.fence == 0 && j.expiry.due(now):
		return j.stop(Expired, now, JobEffects{})
	}
	return j.wait(JobEffects{})
}

// Return says that the agent has returned: err is nil when it succeeded.
func (j *Job) Return(err *arcp.Error) JobEffects {
	if j.Over() || j.final != nil {
		return JobEffects{}
	}
	return j.end(err, JobEffects{})
}

func (j *Job) stop(c Cause, now time.Duration, fx JobEffects) JobEffects {
	if j.cause == NoCause {
		j.cause, fx.Stop = c, c
		grace := j.grace
		if c == Expired {
			grace = min(grace, expiryGrace)
		}
		j.fence = later(now, max(grace, 1))
	}
	return j.wait(fx)
}

func (j *Job) end(err *arcp.Error, fx JobEffects) JobEffects {
	switch j.cause {
	case Cancelled:
		err, fx.Status = arcp.NewError(arcp.CodeCancelled, "the job was cancelled"), arcp.StatusCancelled
	case TimedOut:
		err, fx.Status = arcp.NewError(arcp.CodeTimeout, "the job ran longer than max_runtime_sec"), arcp.StatusTimedOut
	case Expired:
		err, fx.Status = arcp.NewError(arcp.CodeLeaseExpired, "the lease expired while the job ran"), arcp.StatusError
	case Stopped:
		err, fx.Status = arcp.NewError(arcp.CodeInternalError, "the runtime was stopped"), arcp.StatusError
	default:
		fx.Status = finalStatus(err)
	}
	fx.Terminal, fx.Success = err, err == nil
	if j.joined > 0 {
		j.final = &JobEffects{Terminal: fx.Terminal, Success: fx.Success, Status: fx.Status}
		return JobEffects{Fence: fx.Fence, Ending: true}
	}
	j.status = fx.Status
	return fx
}

// finalStatus is the state in which a job ends that nobody stopped. An agent may report each code of the taxonomy.
func finalStatus(err *arcp.Error) arcp.JobStatus {
	switch {
	case err == nil:
		return arcp.StatusSuccess
	case err.Code == arcp.CodeTimeout:
		return arcp.StatusTimedOut
	default:
		return arcp.StatusError
	}
}

func (j *Job) wait(fx JobEffects) JobEffects {
	if j.final != nil {
		return fx
	}
	switch {
	case j.fence > 0:
		fx.Timer = j.fence
	case j.deadline > 0 && (j.expiry.at == 0 || j.deadline <= j.expiry.at):
		fx.Timer = j.deadline
	default:
		fx.Timer = j.expiry.at
	}
	return fx
}

func (j *Job) refuse(code arcp.ErrorCode, message string) JobEffects {
	return JobEffects{Refuse: arcp.NewError(code, "%s", message)}
}

// later is now+d without overflow.
func later(now, d time.Duration) time.Duration {
	if sum := now + d; sum > now {
		return sum
	}
	return 1<<63 - 1
}
