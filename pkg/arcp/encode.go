package arcp

import (
	"maps"
	"slices"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// appendLease appends a lease with its namespaces in order; nil is {}.
func appendLease(dst []byte, l Lease) ([]byte, bool) {
	var ok bool
	dst = append(dst, '{')
	for i, namespace := range slices.Sorted(maps.Keys(l)) {
		if dst, ok = appendKey(dst, i, namespace); !ok {
			return dst, false
		}
		if dst, ok = appendTexts(dst, l[namespace]); !ok {
			return dst, false
		}
	}
	return append(dst, '}'), true
}

// appendAmounts appends amounts with their currencies in order; nil is {}.
func appendAmounts(dst []byte, amounts map[string]Amount) ([]byte, bool) {
	var ok bool
	dst = append(dst, '{')
	for i, currency := range slices.Sorted(maps.Keys(amounts)) {
		if dst, ok = appendKey(dst, i, currency); !ok {
			return dst, false
		}
		dst = amounts[currency].AppendNumber(dst)
	}
	return append(dst, '}'), true
}

func appendKey(dst []byte, i int, key string) ([]byte, bool) {
	if i > 0 {
		dst = append(dst, ',')
	}
	dst, ok := jsonx.AppendString(dst, key)
	return append(dst, ':'), ok
}

func appendTexts(dst []byte, texts []string) ([]byte, bool) {
	var ok bool
	dst = append(dst, '[')
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, ok = jsonx.AppendString(dst, text); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}
