package sqlite

// Small returns options that make small pages and move them from the write-ahead log soon, so that little data has all kinds of pages and
// moments.
func Small(o Options) *Options {
	o.pageSize, o.checkpoint = 512, 40
	return &o
}

// WithVFS returns options that use another file layer of SQLite.
func WithVFS(o *Options, vfs string) *Options {
	to := *o
	to.vfs = vfs
	return &to
}
