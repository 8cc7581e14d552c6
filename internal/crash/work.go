package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// The agents of a runtime under test. They do the same work.
const (
	agentAgain = "again" // may run again after a restart
	agentOnce  = "once"  // may not
)

// work is the input of a job: how many events, how far apart, how large, and how large a result.
type work struct {
	Events int    `json:"events"`
	GapMS  int    `json:"gap_ms"`
	Pad    int    `json:"pad"`
	Result int    `json:"result"`
	Tag    string `json:"tag"` // makes each input another one
}

// outcome is the result of a job.
type outcome struct {
	Run    string `json:"run"`
	Events int    `json:"events"`
	Data   string `json:"data"`
}

// stepText is what event i of a run says: nobody but that run says it, and whoever reads it can tell whether it is whole.
func stepText(run string, i, pad int) string {
	return fmt.Sprintf("%s/%d/%s", run, i, filling(run, i, pad))
}

// splitStep is the way back. It is not ok when the text is no step's, or was changed.
func splitStep(text string) (run string, i int, ok bool) {
	run, rest, _ := strings.Cut(text, "/")
	number, fill, found := strings.Cut(rest, "/")
	if _, err := fmt.Sscanf(number, "%d", &i); err != nil || !found {
		return "", 0, false
	}
	return run, i, filling(run, i, len(fill)) == fill
}

// filling is n characters that follow from what they stand behind.
func filling(run string, i, n int) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", run, i)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%016x", r.Uint64())
	}
	return b.String()[:n]
}

// newRun names one run of an agent.
func newRun() string { return fmt.Sprintf("r%012x", rand.Uint64()>>16) }

// body is event i of a run, of one kind or another.
func (w *work) body(run string, i int) arcp.EventBody {
	text := stepText(run, i, w.Pad)
	if i%3 == 1 {
		return &arcp.ThoughtBody{Text: text}
	}
	return &arcp.LogBody{Level: arcp.LevelInfo, Message: text}
}

// stepOf is the text of an event that a step made.
func stepOf(b arcp.EventBody) (text string, ok bool) {
	switch b := b.(type) {
	case *arcp.ThoughtBody:
		return b.Text, true
	case *arcp.LogBody:
		return b.Message, true
	}
	return "", false
}

func (w *work) outcome(run string) outcome {
	return outcome{run, w.Events, filling(run, -1, w.Result)}
}

// playAgent is the program of the agents of the real binary: see docs/agents.md.
func playAgent(in io.Reader, out io.Writer) error {
	var w work
	if err := json.NewDecoder(bufio.NewReader(in)).Decode(&w); err != nil {
		return err
	}
	run := newRun()
	enc := json.NewEncoder(out)
	for i := range w.Events {
		time.Sleep(time.Duration(w.GapMS) * time.Millisecond)
		body := w.body(run, i)
		text, err := body.AppendJSON(nil)
		if err != nil {
			return err
		}
		if err := enc.Encode(map[string]any{"kind": body.EventKind(), "body": json.RawMessage(text)}); err != nil {
			return err
		}
	}
	return enc.Encode(map[string]any{"result": w.outcome(run)})
}
