package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/arcpkit/arcp/pkg/client"
)

// The client is weighed before and after keptJobs, each time keptLooks times with keptBetween jobs in between.
const (
	keptJobs    = 100_000
	keptLooks   = 5
	keptBetween = 2_000
	keptBy      = 8 // submitters at a time: enough for the pace, few enough to hold little by chance
)

// keptRows weigh what a client keeps of jobs that have ended and that nobody holds any more. The runtime is another process. Of so many
// jobs a real leak is whole bytes a job, so what is below a byte is the error of the measurement and counts as none.
func keptRows() []row {
	return []row{{"kept of a released job, client, bytes", "<=", 0, func() (string, float64, error) {
		bytes, err := kept()
		return fmt.Sprintf("%.2fB", bytes), math.Trunc(bytes) + 0, err
	}}}
}

func kept() (bytes float64, err error) {
	o, err := beside()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.stop()) }()
	session, err := o.connect()
	if err != nil {
		return 0, err
	}
	defer func() { _ = session.Close(context.Background()) }()
	if _, err := jobs(session, "quick", keptBy, keptJobs/5); err != nil { // what is made once is made before
		return 0, err
	}
	before, err := least(session)
	if err != nil {
		return 0, err
	}
	if _, err := jobs(session, "quick", keptBy, keptJobs); err != nil {
		return 0, err
	}
	after, err := least(session)
	return (after - before) / keptJobs, err
}

// least is the smallest heap of a few moments, each after some jobs more: what the moment holds by chance is not kept.
func least(s *client.Session) (float64, error) {
	heap := math.Inf(1)
	for range keptLooks {
		if _, err := jobs(s, "quick", keptBy, keptBetween); err != nil {
			return 0, err
		}
		heap = min(heap, float64(collected().HeapAlloc))
	}
	return heap, nil
}
