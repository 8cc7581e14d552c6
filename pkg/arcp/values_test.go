package arcp

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// values makes random messages of any type from the Go types alone, so that a new type is tested without a line here.
type values struct{ *rand.Rand }

func (r values) text() string {
	words := []string{"a", "job_7", "ünï", "quote\"back\\slash", "line\nbreak", "\u2028", "x-vendor.acme.thing", "日本", "<&>", "\x7f", "long enough to leave the short paths of every copy loop"}
	return words[r.IntN(len(words))] + strings.Repeat("z", r.IntN(12))
}

func (r values) raw() RawJSON {
	texts := []string{`{}`, `{"a":1}`, `{"a":{"b":[1,2.50,-3e7,null,true]}}`, `{"k":"é\n"}`}
	return RawJSON(texts[r.IntN(len(texts))])
}

func (r values) envelope(t MessageType, k EventKind) *Envelope {
	e := &Envelope{Type: t, ID: r.text(), Payload: zeroPayload(t)}
	r.optional(func() { e.SessionID = r.text() })
	r.optional(func() { e.JobID = r.text() })
	r.optional(func() { e.TraceID = r.text() })
	r.optional(func() { e.EventSeq = r.Uint64() })
	r.optional(func() { e.Extensions = r.raw() })
	r.fill(reflect.ValueOf(e.Payload).Elem())
	if ev, ok := e.Payload.(*JobEvent); ok {
		ev.Kind, ev.Body = k, zeroBody(k)
		r.fill(reflect.ValueOf(ev.Body).Elem())
	}
	return e
}

func (r values) optional(set func()) {
	if r.IntN(3) > 0 {
		set()
	}
}

func (r values) fill(v reflect.Value) {
	for i := range v.NumField() {
		r.set(v.Field(i))
	}
}

func (r values) set(v reflect.Value) {
	switch v.Interface().(type) {
	case Secret:
		v.Set(reflect.ValueOf(MakeSecret(r.text())))
	case RawJSON:
		r.optional(func() { v.Set(reflect.ValueOf(r.raw())) })
	case Number:
		v.SetString([]string{"0", "1.50", "-3e7", "12345678901234567890"}[r.IntN(4)])
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(4e9), r.Int64N(1e9)/int64([]int{1, 1e3, 1e6}[r.IntN(3)])).UTC()))
	case Lease:
		r.optional(func() { v.Set(reflect.ValueOf(Lease{r.text(): {r.text()}, "fs.read": {}})) })
	case map[string]Amount:
		r.optional(func() { v.Set(reflect.ValueOf(map[string]Amount{"USD": amount("12.50"), r.text(): amount("-3")})) })
	default:
		r.setKind(v)
	}
}

func (r values) setKind(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		r.optional(func() { v.SetString(r.text()) })
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Uint64:
		r.optional(func() { v.SetUint(r.Uint64() >> r.IntN(64)) })
	case reflect.Int64:
		v.SetInt(r.Int64() - r.Int64())
	case reflect.Float64:
		v.SetFloat(r.NormFloat64() * 1e3)
	case reflect.Struct:
		r.fill(v)
	case reflect.Pointer:
		r.optional(func() {
			v.Set(reflect.New(v.Type().Elem()))
			r.set(v.Elem())
		})
	case reflect.Slice:
		for range r.IntN(3) {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			r.set(v.Index(v.Len() - 1))
		}
	}
}

func amount(s string) Amount {
	a, err := ParseAmount(s)
	if err != nil {
		panic(err)
	}
	return a
}

// zeroPayload returns an empty payload of type t.
func zeroPayload(t MessageType) Payload {
	var d jsonx.Decoder
	d.Reset([]byte("{}"))
	return decodePayload(&d, t, nil)
}

func zeroBody(k EventKind) EventBody {
	var d jsonx.Decoder
	d.Reset([]byte("{}"))
	return decodeBody(&d, k, nil)
}
