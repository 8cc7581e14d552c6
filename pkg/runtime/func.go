package runtime

import (
	"context"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// Func makes an agent of a function from a Go value to a Go value. The input is decoded strictly: what does not fit In
// ends the job with INVALID_REQUEST before f is called. An absent input leaves In zero. The output becomes the inline result unless
// f streamed one.
func Func[In, Out any](f func(ctx context.Context, t *Task, in In) (Out, error)) Agent {
	return AgentFunc(func(ctx context.Context, t *Task) error {
		var in In
		if t.Input() != nil {
			if err := dynjson.Unmarshal(t.Input(), &in); err != nil {
				return arcp.NewError(arcp.CodeInvalidRequest, "/payload/input: %v", err)
			}
		}
		out, err := f(ctx, t, in)
		if err != nil || t.streams() {
			return err
		}
		text, err := dynjson.Marshal(out)
		if err != nil {
			return err
		}
		return t.SetResult(text)
	})
}

func (t *Task) streams() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stream != nil
}
