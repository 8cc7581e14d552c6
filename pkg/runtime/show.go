package runtime

import (
	"bytes"
	"reflect"
	"slices"
	"time"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/internal/jsonx"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime/internal/journal"
	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Show makes JSON of what a runtime keeps in a store, for people who look into one: of a record, or of the snapshot of a key. It leaves
// out what is secret, and is nil for what it does not understand. It is a function as Export of an engine takes it.
func Show(key store.Key, snapshot bool, b []byte) []byte {
	if snapshot {
		return showSnapshot(key, b)
	}
	s, ok := journal.Show(key.Kind, b)
	if !ok {
		return nil
	}
	if s.Type == "" {
		return marshalShown(map[string]any{s.Name: struct {
			Text   string   `json:"text,omitzero"`
			Counts []uint64 `json:"counts,omitzero"`
		}{s.Text, s.Counts}})
	}
	frame := withoutSecrets(s.Frame, s.Whole)
	if frame == nil {
		return nil
	}
	return marshalShown(map[string]arcp.RawJSON{string(s.Type): frame})
}

func marshalShown(v any) []byte {
	b, err := dynjson.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

// withoutSecrets puts a mark in place of every secret of a frame. Whole is what the frame is read from to find them; nil is returned when
// that fails, or when one of them is left.
func withoutSecrets(frame, whole []byte) []byte {
	e, err := arcp.Decode(whole)
	if err != nil {
		return nil
	}
	for _, s := range secretsIn(reflect.ValueOf(e), nil) {
		text, _ := jsonx.AppendString(nil, s.Reveal())
		mark, _ := jsonx.AppendString(nil, s.String())
		if !bytes.Contains(frame, text) {
			return nil
		}
		frame = bytes.ReplaceAll(frame, text, mark)
	}
	return frame
}

// secretsIn appends the secrets that a decoded message holds.
func secretsIn(v reflect.Value, all []arcp.Secret) []arcp.Secret {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			all = secretsIn(v.Elem(), all)
		}
	case reflect.Struct:
		if s, ok := reflect.TypeAssert[arcp.Secret](v); ok {
			if !s.IsZero() && !slices.ContainsFunc(all, s.Equal) {
				all = append(all, s)
			}
			return all
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				all = secretsIn(v.Field(i), all)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			all = secretsIn(v.Index(i), all)
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			all = secretsIn(i.Value(), all)
		}
	}
	return all
}

// showSnapshot names what it shows: what is added to a snapshot later is not shown by itself.
func showSnapshot(key store.Key, b []byte) []byte {
	switch key.Kind {
	case store.KindJob:
		var t told
		if dynjson.Unmarshal(b, &t) != nil {
			return nil
		}
		return marshalShown(shownJob(&t))
	case store.KindSession:
		var k kept
		if dynjson.Unmarshal(b, &k) != nil {
			return nil
		}
		return marshalShown(struct {
			Principal string         `json:"principal"`
			Features  []arcp.Feature `json:"features"`
			Parked    *time.Time     `json:"parked,omitzero"`
		}{k.Principal, k.Features, k.Parked})
	}
	return nil
}

func shownJob(t *told) any {
	out := struct {
		Principal string         `json:"principal"`
		Session   string         `json:"session"`
		Attempt   int            `json:"attempt,omitzero"`
		Input     arcp.RawJSON   `json:"input,omitzero"`
		Ended     *time.Time     `json:"ended,omitzero"`
		Status    arcp.JobStatus `json:"status,omitzero"`
	}{Principal: t.Principal, Session: t.Session}
	if t.Run != nil {
		out.Attempt, out.Input = t.Run.Attempt, t.Run.Input
	}
	if t.End != nil {
		out.Ended, out.Status = &t.End.At, t.End.Status
	}
	return out
}
