package arcp_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

func ExampleDecode() {
	frame := `{"arcp":"1.1","type":"job.event","session_id":"s1","event_seq":7,"id":"j1.1","job_id":"j1",
		"payload":{"kind":"progress","ts":"2026-11-24T12:00:00Z","body":{"current":3,"total":4}}}`
	e, err := arcp.Decode([]byte(frame))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := e.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	switch p := e.Payload.(type) {
	case *arcp.JobEvent:
		if body, ok := p.Body.(*arcp.ProgressBody); ok {
			fmt.Println(e.JobID, e.EventSeq, body.Current, "of", body.Total)
		}
	case *arcp.UnknownMessage: // of a later version: not an error
	}
	// Output: j1 7 3 of 4
}

func ExampleEnvelope_AppendJSON() {
	e := &arcp.Envelope{ID: "m1", SessionID: "s1", Payload: &arcp.JobSubmit{
		Agent: "indexer", Input: arcp.RawJSON(`{"path": "/data"}`), LeaseRequest: arcp.Lease{arcp.NamespaceFSRead: {"/data/**"}},
	}}
	frame, err := e.AppendJSON(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", frame)
	// Output:
	// {"arcp":"1.1","type":"job.submit","session_id":"s1","id":"m1","payload":{"agent":"indexer","input":{"path": "/data"},"lease_request":{"fs.read":["/data/**"]}}}
}

// Decode says what has the wrong shape, Validate which rules are broken: all of it, each with where it stands.
func ExampleEnvelope_Validate() {
	e := &arcp.Envelope{ID: "m1", JobID: "j1", SessionID: "s1", EventSeq: 1, Payload: &arcp.JobEvent{
		Kind: arcp.KindProgress, TS: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Body: &arcp.ProgressBody{Current: -1, Total: -2},
	}}
	err := e.Validate()
	var broken *arcp.ValidationError
	if errors.As(err, &broken) {
		for _, f := range broken.Findings {
			fmt.Println(f.Pointer, f.Problem)
		}
	}
	fmt.Println(arcp.CodeOf(err))
	// Output:
	// /payload/body/current is below 0
	// /payload/body/total is below 0
	// INVALID_REQUEST
}

func ExampleError() {
	err := fmt.Errorf("indexing: %w", arcp.NewError(arcp.CodeTimeout, "no answer from the disk"))
	fmt.Println(errors.Is(err, arcp.CodeTimeout), arcp.CodeOf(err), arcp.IsRemote(err))
	fmt.Println(err)
	// Output:
	// true TIMEOUT false
	// indexing: TIMEOUT: no answer from the disk
}

func ExampleLease_Covers() {
	lease := arcp.Lease{arcp.NamespaceFSRead: {"/data/**"}}
	fmt.Println(lease.Covers("fs.read", "/data/in.csv"))
	fmt.Println(lease.Covers("fs.read", "/data-private/in.csv"))
	fmt.Println(lease.Covers("fs.read", "/data/../etc/passwd"))
	fmt.Println(lease.Covers("fs.write", "/data/in.csv"))
	// Output:
	// true
	// false
	// false
	// false
}

func ExampleLease_Narrow() {
	parent := arcp.Lease{"fs.read": {"/data/**"}, "tool.call": {"search.*"}, "cost.budget": {"USD:5.00", "EUR:1"}}
	child, err := parent.Narrow(arcp.Lease{"fs.read": {"/data/2026/*.csv"}, "cost.budget": {"USD:2"}})
	fmt.Println(child, err)
	_, err = parent.Narrow(arcp.Lease{"fs.read": {"/data/*", "/d*/**"}})
	fmt.Println(err)
	// Output:
	// map[cost.budget:[USD:2 EUR:1] fs.read:[/data/2026/*.csv]] <nil>
	// LEASE_SUBSET_VIOLATION: beyond the delegating lease: /fs.read/1 "/d*/**"
}
