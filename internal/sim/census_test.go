package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/arcpkit/arcp/internal/invariant"
)

// sights are marks in frames of a runtime by which one knows that something was tried at all.
var sights = map[string]string{
	"accepted": `"type":"job.accepted"`, "taken over": `"reason":"taken_over"`, "heartbeat lost": `"HEARTBEAT_LOST"`,
	"window expired": `"RESUME_WINDOW_EXPIRED"`, "watched": `"type":"job.subscribed"`, "cancelled": `"type":"job.cancelled"`,
	"duplicate key": `"DUPLICATE_KEY"`, "unseen job": `"JOB_NOT_FOUND"`, "foreign cancel": `"PERMISSION_DENIED"`, "timed out": `"final_status":"timed_out"`,
	"failed": `"final_status":"error"`, "back pressure": `"phase":"back_pressure"`,
	"node lost": `"reason":"node_lost"`, "ended by a restart": `"reason":"restarted"`, "run again": `"phase":"restarted"`,
	"chunk": `"kind":"result_chunk"`, "listed": `"type":"session.jobs"`, "goodbye": `"type":"session.bye"`, "malformed": `"INVALID_REQUEST"`,
}

// notes are what only the log tells of.
var notes = map[string]string{
	"session moved": `msg="session is another node's now"`, "session taken over": `msg="session taken over"`,
	"job taken from a living node": `msg="job taken over by another node"`,
	"resumed":                      `msg="session resumed"`, "slow reader cut": `msg="slow reader cut"`, "agent cut off": `msg="agent ignored its end`,
}

// censusSeeds is after how many seeds nothing is counted any more, for it takes time.
const censusSeeds = 200

// census counts what the first seeds together have seen.
type census struct {
	mu   sync.Mutex
	runs int
	seen map[string]int
}

func (c *census) count(trace invariant.Trace, log []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs++; c.runs > censusSeeds {
		return
	}
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for what, mark := range notes {
		c.seen[what] += bytes.Count(log, []byte(mark))
	}
	for what, mark := range sights {
		c.seen[what] += 0 // there is a line for what is never seen, too
		for i := range trace {
			if bytes.Contains(trace[i].Data, []byte(mark)) {
				c.seen[what]++
			}
		}
	}
}

// missing are the sights that nobody had.
func (c *census) missing() (none []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(c.seen)) {
		if c.seen[what] == 0 {
			none = append(none, what)
		}
	}
	return none
}

func (c *census) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, what := range slices.Sorted(maps.Keys(c.seen)) {
		out = append(out, fmt.Sprintf("%s %d", what, c.seen[what]))
	}
	return strings.Join(out, ", ")
}
