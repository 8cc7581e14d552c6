package sqlite

import "fmt"

// applicationID is "ARCP": how a file says whose it is. Its user_version is the schema's.
const applicationID = 0x41524350

// schema makes the tables of an empty file.
//
// Names and texts are BLOBs: they sort as Go's strings do and may hold any byte. A segment is found by its key and first record and lies
// where it was appended. The total in meta is the sum over all heads and secrets, so that one that vanished is missed.
const schema = `
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  next INTEGER NOT NULL, -- the id of the next key; ids are not used again
  total INTEGER NOT NULL,
  sum INTEGER NOT NULL
);
CREATE TABLE keys(
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  name BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  owner BLOB NOT NULL,
  released INTEGER NOT NULL,
  records INTEGER NOT NULL,
  first INTEGER NOT NULL,
  expires BLOB NOT NULL,    -- empty for never
  snapshot_at INTEGER NOT NULL,
  snapshot_sum INTEGER NOT NULL, -- 0 when there is no snapshot
  row_sum INTEGER NOT NULL,      -- 0 when there is no row
  sum INTEGER NOT NULL
);
CREATE TABLE segments(
  id INTEGER PRIMARY KEY,
  key INTEGER NOT NULL,
  first INTEGER NOT NULL,
  n INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  lens BLOB NOT NULL, -- of the records, as varints; empty when there is one
  data BLOB NOT NULL
);
CREATE UNIQUE INDEX segments_order ON segments(key, first, n);
CREATE TABLE snapshots(
  key INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
CREATE TABLE jobs(
  key INTEGER PRIMARY KEY,
  sum INTEGER NOT NULL,
  principal BLOB NOT NULL,
  created BLOB NOT NULL,
  job_id BLOB NOT NULL,
  agent BLOB NOT NULL,
  status BLOB NOT NULL,
  summary BLOB NOT NULL
);
CREATE INDEX jobs_order ON jobs(principal, created, job_id);
CREATE TABLE secrets(
  name BLOB PRIMARY KEY,
  value BLOB NOT NULL
);
`

// migrations are the steps from one version of the schema to the next, the first from an empty file.
func migrations() []string { return []string{schema} }

// migrate brings a file to the version that the steps lead to, in one transaction. What is newer is refused.
func migrate(c *conn, steps []string) error {
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	owner, err := c.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	switch to := int64(len(steps)); {
	case version == to && owner == applicationID:
		return nil
	case version > to && owner == applicationID:
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewer, version, to)
	case version < 0 || (version == 0) != (owner == 0) || owner != 0 && owner != applicationID:
		return damaged("the file says application %#x, schema %d, which is no store of ours", owner, version)
	}
	return step(c, int(version), steps)
}

// step runs the steps behind a version. A file that is not empty has a version.
func step(c *conn, version int, steps []string) error {
	if version == 0 {
		if n, err := c.number("SELECT count(*) FROM sqlite_schema"); err != nil || n > 0 {
			return orDamaged(err, "the file has tables and no version")
		}
	}
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, s := range steps[version:] {
		if err := c.exec(s); err != nil {
			_ = c.exec("ROLLBACK") // the error that counts is the one before
			return fmt.Errorf("sqlite: migrating from schema %d: %w", version, err)
		}
	}
	return c.exec(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", applicationID, len(steps)))
}

func orDamaged(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return damaged(format, args...)
}
