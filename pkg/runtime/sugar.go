package runtime

import (
	"context"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// Log emits a line of log. Fields, which may be nil, must be a value that encodes as a JSON object.
func (t *Task) Log(ctx context.Context, level arcp.LogLevel, message string, fields any) error {
	body := &arcp.LogBody{Level: level, Message: message}
	if fields != nil {
		raw, err := dynjson.Marshal(fields)
		if err != nil {
			return arcp.NewError(arcp.CodeInvalidRequest, "/fields: %v", err)
		}
		body.Fields = raw
	}
	return t.Emit(ctx, body)
}

// Progress emits how far the job has come; total 0 is unknown.
func (t *Task) Progress(ctx context.Context, current, total float64, units, message string) error {
	return t.Emit(ctx, &arcp.ProgressBody{Current: current, Total: total, Units: units, Message: message})
}

// Metric emits a measurement. Value is the literal of a JSON number, so that no digit is lost.
func (t *Task) Metric(ctx context.Context, name string, value arcp.Number, unit string) error {
	return t.Emit(ctx, &arcp.MetricBody{Name: name, Value: value, Unit: unit})
}

// Status emits the phase the job is in.
func (t *Task) Status(ctx context.Context, phase, message string) error {
	return t.Emit(ctx, &arcp.StatusBody{Phase: phase, Message: message})
}
