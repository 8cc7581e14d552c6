package journal

import "github.com/arcpkit/arcp/pkg/arcp"

// Chunks calls yield with each committed and kept result chunk of the log, in order.
func (l *Log) Chunks(yield func(*arcp.ResultChunkBody) error) error {
	prefix := append(arcp.AppendSequencedPrefix(nil, arcp.TypeJobEvent, l.jobID), '1')
	var fail error
	err := l.Records(l.First(), func(_ uint64, t Type, tail []byte) bool {
		if t != TypeEvent {
			return true
		}
		e, err := arcp.Decode(append(prefix[:len(prefix):len(prefix)], tail...))
		if err != nil {
			fail = err
			return false
		}
		if ev, ok := e.Payload.(*arcp.JobEvent); ok {
			if c, ok := ev.Body.(*arcp.ResultChunkBody); ok {
				fail = yield(c)
			}
		}
		return fail == nil
	})
	if err != nil {
		return err
	}
	return fail
}
