package sqlite

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Secret returns a named secret; see store.Store.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	value, closed := s.secrets[name], s.closed
	s.mu.Unlock()
	if closed {
		return nil, store.ErrClosed
	}
	if value == nil {
		err := s.do(ctx, func(t *tx) (err error) {
			value, err = t.secret(name)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Clone(value), nil
}

// secret returns a secret and makes it if it is not there.
func (t *tx) secret(name string) ([]byte, error) {
	if value := t.secrets[name]; value != nil {
		return value, nil
	}
	if value := t.w.store.secrets[name]; value != nil {
		return value, nil
	}
	value := make([]byte, 32)
	_, _ = rand.Read(value) // never fails, by its own contract
	if t.secrets == nil {
		t.secrets = make(map[string][]byte)
	}
	t.secrets[name] = value
	t.total += mix(secretSum(name, value))
	return value, t.write(t.w.secretPut, []byte(name), value)
}
