package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// Report is what Check found in a store.
type Report struct {
	Schema                       int
	Jobs, Sessions, Reservations int
	Records                      uint64 // retained, of all keys
	Bytes                        int64  // of the file
	Problems                     []string
	More                         int // problems beyond those listed
}

// maxProblems bounds a report: one damaged page may make every record behind it look wrong.
const maxProblems = 100

func (r *Report) add(err error) {
	if len(r.Problems) == maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, strings.TrimPrefix(err.Error(), ErrCorrupt.Error()+": "))
}

// Sound says whether nothing was found to be wrong.
func (r *Report) Sound() bool { return len(r.Problems) == 0 }

// Check looks at everything in the store of a directory and changes nothing. What is wrong with it stands in the report; the error says
// why it could not be looked at: there is none, or another process has it open (ErrLocked). ctx is looked at between the parts.
func Check(ctx context.Context, path string) (*Report, error) {
	s, err := inspect(path)
	if err != nil {
		return nil, err
	}
	r, err := s.check(ctx)
	return r, errors.Join(err, s.release())
}

// inspected is a store that is only looked at. The writer does not run.
type inspected struct {
	*Store
	conn   *conn
	broken error // what made it impossible to open the file
}

// inspect locks a store and opens it for reading.
func inspect(path string) (*inspected, error) {
	d, err := existing(path)
	if err != nil {
		return nil, err
	}
	s := &inspected{Store: newStore(d)}
	s.conn, err = open(d.file(), "ro", "", "query_only = ON", "cell_size_check = ON", "trusted_schema = OFF")
	if err = unreadable(err); err != nil && !errors.Is(err, ErrCorrupt) {
		return nil, errors.Join(err, d.close())
	}
	s.broken = err
	s.writer = &writer{store: s.Store, conn: s.conn}
	return s, nil
}

func (s *inspected) release() error { return errors.Join(s.conn.close(), s.dir.close()) }

func (s *inspected) check(ctx context.Context) (*Report, error) {
	r := &Report{}
	if s.broken != nil {
		r.add(s.broken)
		return r, nil
	}
	info, err := os.Stat(s.dir.file())
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	r.Bytes = info.Size()
	l := &loader{store: s.Store, conn: s.conn, report: r}
	if err := l.found(l.version()); err != nil || !r.Sound() {
		return r, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := l.load(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = l.found(l.pages())
	r.count(s.Store)
	return r, err
}

// version sees whose file it is.
func (l *loader) version() error {
	version, err := l.conn.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	owner, err := l.conn.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	l.report.Schema = int(version)
	want := int64(len(migrations()))
	switch {
	case owner != applicationID:
		return damaged("the file says application %#x, which is no store of ours", owner)
	case version > want:
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewer, version, want)
	case version < want:
		return damaged("its schema is version %d, which `arcp serve` brings to %d", version, want)
	}
	return nil
}

// pages has SQLite look at its own structure.
func (l *loader) pages() error {
	return l.scan("PRAGMA integrity_check(100)", func(row []value) error {
		if text := fmt.Sprint(row[0]); text != "ok" {
			return damaged("SQLite says: %s", text)
		}
		return nil
	})
}

func (r *Report) count(s *Store) {
	r.Jobs, r.Sessions, r.Reservations = len(s.keys[store.KindJob]), len(s.keys[store.KindSession]), len(s.keys[store.KindIdem])
	for _, byID := range s.keys {
		for _, e := range byID {
			r.Records += e.head.records + 1 - e.head.first
		}
	}
}
