package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// task is the input of work: the seed of what it does.
type task struct {
	Seed  uint64 `json:"seed"`
	Steps int    `json:"steps"`
	// Manner is how it ends and whether it listens: see end.
	Manner string `json:"manner"`
	// Pause is the most it sleeps between two events, in milliseconds.
	Pause int `json:"pause"`
}

var manners = []string{"result", "result", "chunks", "error", "panic", "refuse", "deaf", "forever", "timeout"}

// work is an agent that emits anything, at any pace, and ends in any way.
func work(ctx context.Context, t *arcprt.Task) error {
	var in task
	if err := json.Unmarshal(t.Input(), &in); err != nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "input: %v", err)
	}
	r := rand.New(rand.NewPCG(in.Seed, 7))
	deaf := in.Manner == "deaf"
	for i := range in.Steps {
		if err := t.Emit(ctx, event(r, i, t.Principal())); err != nil && !deaf {
			return err
		}
		if in.Pause == 0 {
			continue
		}
		nap := time.Duration(r.IntN(in.Pause)) * time.Millisecond
		if deaf {
			time.Sleep(nap)
		} else if err := sleep(ctx, nap); err != nil {
			return err
		}
	}
	return end(ctx, t, r, in.Manner)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func event(r *rand.Rand, i int, principal string) arcp.EventBody {
	text := fmt.Sprintf("step %d %s", i, strings.Repeat("x", r.IntN(100)))
	switch r.IntN(8) {
	case 0:
		return &arcp.ThoughtBody{Text: text + canaryOf(principal)}
	case 1:
		return &arcp.StatusBody{Phase: "walking", Message: text}
	case 2:
		return &arcp.MetricBody{Name: "files", Value: arcp.Number(fmt.Sprint(i)), Unit: "files"}
	case 3:
		return &arcp.ToolCallBody{Tool: "t", Args: arcp.RawJSON(`{"n":1.50}`), CallID: fmt.Sprint("call", i)}
	case 4:
		return &arcp.ToolResultBody{CallID: fmt.Sprint("call", i), Result: arcp.RawJSON("null")}
	case 5, 6:
		return &arcp.ProgressBody{Current: float64(i), Message: text}
	}
	return &arcp.LogBody{Level: arcp.LevelInfo, Message: text}
}

func end(ctx context.Context, t *arcprt.Task, r *rand.Rand, manner string) error {
	switch manner {
	case "chunks":
		w, err := t.ResultWriter(ctx, arcp.EncodingUTF8)
		if err != nil {
			return err
		}
		for range r.IntN(6) {
			if _, err := w.Write([]byte(strings.Repeat("ä", 1+r.IntN(60)))); err != nil {
				return err
			}
		}
		return w.Close()
	case "error":
		return arcp.NewError(arcp.CodeTimeout, "as told")
	case "panic":
		panic("as told " + canaryOf("nobody"))
	case "refuse":
		return t.Emit(ctx, &arcp.StatusBody{Phase: arcp.PhaseBackPressure})
	case "deaf":
		time.Sleep(40 * time.Second)
		_ = t.Emit(ctx, &arcp.ThoughtBody{Text: "still here"})
	case "forever":
		<-ctx.Done()
		return context.Cause(ctx)
	case "timeout":
		return sleep(ctx, time.Hour)
	}
	return t.SetResult(arcp.RawJSON(`{"done":true}`))
}

// job draws a submit whose job comes to its end by itself within some minutes.
func (b *bare) work() arcp.JobSubmit {
	r := b.r
	in := task{Seed: r.Uint64(), Steps: r.IntN(30), Manner: pick(r, manners...), Pause: pick(r, 0, 10, 2000)}
	if r.IntN(10) == 0 {
		in.Steps, in.Pause = 300, 0
	}
	p := arcp.JobSubmit{Agent: pick(r, "work", "work", "work", "work@1.0.0", "missing")}
	if in.Manner == "forever" || in.Manner == "timeout" || r.IntN(4) == 0 {
		limit := uint64(1 + r.IntN(90))
		p.MaxRuntimeSec = &limit
	}
	p.Input, _ = json.Marshal(in)
	return p
}
