package program

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// message is one line of a program's output. Exactly one member but Body is there, which goes with Kind.
type message struct {
	Kind      arcp.EventKind  `json:"kind"`
	Body      json.RawMessage `json:"body"`
	Authorize *question       `json:"authorize"`
	Call      *call           `json:"call"`
	Reserve   *reservation    `json:"reserve"`
	Settle    *settlement     `json:"settle"`
	Result    json.RawMessage `json:"result"`
	Error     json.RawMessage `json:"error"`
}

// question asks whether the lease allows something now.
type question struct {
	Capability string `json:"capability"`
	Target     string `json:"target"`
}

// call asks for a tool to be run.
type call struct {
	Tool string          `json:"tool"`
	Args json.RawMessage `json:"args"`
}

// reservation asks for money to be set aside, in each currency of a price.
type reservation struct {
	Metric string      `json:"metric"`
	Price  arcp.Budget `json:"price"`
}

// settlement ends a reservation with what was spent; no cost is nothing.
type settlement struct {
	Hold string      `json:"hold"`
	Cost arcp.Budget `json:"cost"`
}

// answer is a line for the program's input.
type answer struct {
	Authorized bool           `json:"authorized"`
	Result     arcp.RawJSON   `json:"result,omitempty"` // of a call
	Hold       string         `json:"hold,omitempty"`   // of a reservation
	Code       arcp.ErrorCode `json:"code,omitempty"`
	Message    string         `json:"message,omitempty"`
}

// failure is how a program ends its job with an error. A bare string is its message.
type failure struct {
	Code      arcp.ErrorCode  `json:"code"`
	Message   string          `json:"message"`
	Retryable *bool           `json:"retryable"`
	Details   json.RawMessage `json:"details"`
}

func parseMessage(line []byte) (*message, error) {
	var m message
	if err := dynjson.Unmarshal(line, &m); err != nil {
		var e *dynjson.Error
		if errors.As(err, &e) && e.Pointer != "" {
			return nil, fmt.Errorf("%s at %s", e.Problem, e.Pointer)
		}
		return nil, errors.New("it is not a JSON object")
	}
	parts := 0
	for _, there := range []bool{
		m.Kind != "", m.Authorize != nil, m.Call != nil, m.Reserve != nil, m.Settle != nil, m.Result != nil, m.Error != nil,
	} {
		if there {
			parts++
		}
	}
	switch {
	case parts != 1:
		return nil, errors.New(`it holds not exactly one of "kind", "authorize", "call", "reserve", "settle", "result" and "error"`)
	case m.Kind != "" && m.Body == nil:
		return nil, errors.New(`an event has no "body"`)
	}
	return &m, nil
}

// event reads the body as its kind demands.
func (m *message) event() (arcp.EventBody, error) {
	body, err := arcp.ParseRaw(m.Body)
	if err != nil {
		return nil, err
	}
	return arcp.DecodeBody(m.Kind, body)
}

// plainCode is what codes look like, those that only the program knows too.
var plainCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// failure returns the error a program ended with; err says that it is written in no form we know.
func (m *message) failure() (e *arcp.Error, err error) {
	var f failure
	if dynjson.Unmarshal(m.Error, &f.Message) != nil {
		if err := dynjson.Unmarshal(m.Error, &f); err != nil {
			return nil, errors.New(`its "error" is neither a text nor an object with "code" and "message"`)
		}
	}
	if f.Code == "" {
		f.Code = arcp.CodeInternalError
	}
	if !plainCode.MatchString(string(f.Code)) {
		return nil, fmt.Errorf("the code %.40q of its \"error\" is not in capitals, digits and _", string(f.Code))
	}
	if f.Message == "" {
		f.Message = "the agent program failed"
	}
	e = arcp.NewError(f.Code, "%s", f.Message)
	if f.Retryable != nil {
		e.Retryable = *f.Retryable
	}
	if len(f.Details) > 0 && f.Details[0] == '{' {
		e.Details = arcp.RawJSON(f.Details)
	}
	return e, nil
}

// inputLine is the first line a program reads: the input without newlines, null for none.
func inputLine(input arcp.RawJSON) ([]byte, error) {
	if input == nil {
		return []byte("null\n"), nil
	}
	line, err := dynjson.Compact(input)
	if err != nil {
		return nil, err
	}
	return append(line, '\n'), nil
}

// line is the answer, to a question that got err.
func (a answer) line(err error) []byte {
	if a.Authorized = err == nil; err != nil {
		a.Result, a.Hold = nil, ""
		a.Code, a.Message = arcp.CodeOf(err), err.Error()
		var e *arcp.Error
		if errors.As(err, &e) {
			a.Message = e.Message
		}
	}
	line, err := dynjson.Marshal(a)
	if err != nil {
		line = []byte(`{"authorized":false,"code":"` + string(arcp.CodeInternalError) + `"}`)
	}
	return append(line, '\n')
}
