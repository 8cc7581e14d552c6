package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection to the file. One goroutine uses it at a time.
//
// The driver is used without database/sql on top: its pool would hide which connection a statement belongs to, and costs more than
// the statements of a commit.
type conn struct {
	driver.Conn
	stmts []*stmt
}

// patience is how long a connection waits for a lock, in ms. Nobody holds one for long but a program that looks into the file beside us.
const patience = 5000

// open connects to a file and runs the pragmas in order. mode is what SQLite's URI parameter of that name may be.
func open(path, mode, vfs string, pragmas ...string) (*conn, error) {
	query := url.Values{"mode": {mode}}
	if vfs != "" {
		query.Set("vfs", vfs)
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	connector, err := sqlite.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	dc, err := connector.Connect(context.Background())
	if err != nil {
		return nil, explain(err)
	}
	c := &conn{Conn: dc}
	for _, p := range append([]string{fmt.Sprint("busy_timeout = ", patience)}, pragmas...) {
		if err := c.exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// close ends the connection and its statements. It may be called twice.
func (c *conn) close() error {
	if c == nil || c.Conn == nil {
		return nil
	}
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	errs = append(errs, c.Close())
	c.Conn, c.stmts = nil, nil
	return errors.Join(errs...)
}

// exec runs SQL of any number of statements, without arguments.
func (c *conn) exec(sql string) error {
	_, err := c.Conn.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return explain(err)
}

// value is what a column or an argument is: int64 or []byte.
type value = driver.Value

// stmt is a statement that is prepared once and run often.
type stmt struct {
	driver.Stmt
	args []driver.NamedValue
}

// prepare prepares a statement for the life of the connection.
func (c *conn) prepare(sql string) (*stmt, error) {
	s, err := c.Prepare(sql)
	if err != nil {
		return nil, explain(err)
	}
	prepared := &stmt{Stmt: s}
	c.stmts = append(c.stmts, prepared)
	return prepared, nil
}

// prepareAll prepares several statements, each to its place.
func (c *conn) prepareAll(all map[**stmt]string) error {
	for to, sql := range all {
		s, err := c.prepare(sql)
		if err != nil {
			return err
		}
		*to = s
	}
	return nil
}

func (s *stmt) bind(values []value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range values {
		if b, ok := v.([]byte); ok {
			v = full(b)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

// run executes the statement.
func (s *stmt) run(values ...value) error {
	_, err := s.changed(values)
	return err
}

// one is run for a statement that changes a row which is there.
func (s *stmt) one(values ...value) error {
	n, err := s.changed(values)
	if err == nil && n != 1 {
		err = damaged("a row was not found by its id")
	}
	return err
}

func (s *stmt) changed(values []value) (int64, error) {
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), s.bind(values))
	if err != nil {
		return 0, explain(err)
	}
	return r.RowsAffected()
}

// each calls do with every row until it returns false or an error. The slice is used again for the next row, the bytes in it are not.
func (s *stmt) each(do func(row []value) (more bool, err error), values ...value) error {
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(context.Background(), s.bind(values))
	if err != nil {
		return explain(err)
	}
	err = eachRow(rows, do)
	if closed := rows.Close(); err == nil {
		err = explain(closed)
	}
	return err
}

func eachRow(rows driver.Rows, do func(row []value) (bool, error)) error {
	row := make([]value, len(rows.Columns()))
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return explain(err)
		}
		if more, err := do(row); err != nil || !more {
			return err
		}
	}
}

// query is each for a statement that is run once.
func (c *conn) query(sql string, do func(row []value) (more bool, err error)) error {
	s, err := c.Prepare(sql)
	if err != nil {
		return explain(err)
	}
	once := &stmt{Stmt: s}
	err = once.each(do)
	return errors.Join(err, once.Close())
}

// number returns the one integer a query yields; zero when it yields none.
func (c *conn) number(sql string) (n int64, err error) {
	err = c.query(sql, func(row []value) (bool, error) {
		n, err = integer(row[0])
		return false, err
	})
	return n, err
}

// explain marks what SQLite itself says of a damaged file as such.
func explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// unreadable marks as damage what SQLite says of a file that it opened and then makes no sense of.
func unreadable(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) || errors.Is(err, ErrCorrupt) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_ERROR, lib.SQLITE_MISMATCH, lib.SQLITE_CONSTRAINT, lib.SQLITE_TOOBIG, lib.SQLITE_FORMAT, lib.SQLITE_SCHEMA:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// integer and blob take a column as what it was stored as; anything else is damage. Absent bytes are nil.
func integer(v value) (int64, error) {
	n, ok := v.(int64)
	if !ok {
		return 0, damaged("a column holds %T instead of an integer", v)
	}
	return n, nil
}

func blob(v value) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	b, ok := v.([]byte)
	if !ok {
		return nil, damaged("a column holds %T instead of bytes", v)
	}
	return b, nil
}

// full is b, but not nil, which SQLite takes for NULL: no column of ours may be that.
func full(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// columns reads a row from left to right and remembers the first column that is not what it should be.
type columns struct {
	row []value
	err error
}

func (c *columns) next() value {
	v := c.row[0]
	c.row = c.row[1:]
	return v
}

func (c *columns) integer() int64 {
	n, err := integer(c.next())
	if c.err == nil {
		c.err = err
	}
	return n
}

func (c *columns) blob() []byte {
	b, err := blob(c.next())
	if c.err == nil {
		c.err = err
	}
	return b
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
