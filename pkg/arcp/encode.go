package arcp

import (
	"slices"

	"github.com/arcpkit/arcp/internal/jsonx"
)

// appendLease appends a lease with its namespaces in order; nil is {}.
func appendLease(dst []byte, l Lease) ([]byte, bool) {
	var buf [8]string
	var ok bool
	dst = append(dst, '{')
	for i, namespace := range sortedKeys(buf[:0], l) {
		if dst, ok = appendKey(dst, i, namespace); !ok {
			return dst, false
		}
		if dst, ok = appendTexts(dst, l[namespace]); !ok {
			return dst, false
		}
	}
	return append(dst, '}'), true
}

// sortedKeys appends the keys of m to dst, which is empty, in order. A lease has few: with room for those it costs no allocation.
func sortedKeys[V any](dst []string, m map[string]V) []string {
	for k := range m {
		dst = append(dst, k)
	}
	slices.Sort(dst)
	return dst
}

// appendAmounts appends amounts with their currencies in order; nil is {}.
func appendAmounts(dst []byte, amounts map[string]Amount) ([]byte, bool) {
	var buf [8]string
	var ok bool
	dst = append(dst, '{')
	for i, currency := range sortedKeys(buf[:0], amounts) {
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
