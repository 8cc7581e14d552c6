package runtime

import (
	"context"
	"io"
	"io/fs"
	"os"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// Open opens a file or folder for reading, if fs.read covers its path: absolute, with slashes, in the form that a lease knows. Where symbolic
// links lead must be covered too, so that a path can not stand for what was not granted. Only files and folders are opened, no devices or pipes. What is open stays
// so after the lease has ended. Errors are those of Authorize and *fs.PathError.
func (t *Task) Open(ctx context.Context, name string) (*os.File, error) {
	return t.OpenFile(ctx, name, os.O_RDONLY, 0)
}

// OpenFile is Open with the flags of os.OpenFile; fs.read must cover what is read, and fs.write what is written or made.
func (t *Task) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (*os.File, error) {
	var f *os.File
	err := t.reach(ctx, name, capabilities(flag), func(at *place) (err error) {
		f, err = at.open(flag, perm)
		return err
	})
	return f, err
}

// ReadFile reads a file as Open would open it.
func (t *Task) ReadFile(ctx context.Context, name string) ([]byte, error) {
	f, err := t.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// WriteFile writes a file as OpenFile would open it, new or emptied.
func (t *Task) WriteFile(ctx context.Context, name string, data []byte, perm fs.FileMode) error {
	f, err := t.OpenFile(ctx, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// ReadDir lists a folder as Open would open it, by name.
func (t *Task) ReadDir(ctx context.Context, name string) ([]fs.DirEntry, error) {
	f, err := t.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// Mkdir makes a folder, if fs.write covers its path.
func (t *Task) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return t.reach(ctx, name, []string{arcp.NamespaceFSWrite}, func(at *place) error { return at.dir.Mkdir(at.base, perm) })
}

// Remove removes a file, an empty folder or a link itself, if fs.write covers its path.
func (t *Task) Remove(ctx context.Context, name string) error {
	return t.reach(ctx, name, []string{arcp.NamespaceFSWrite}, func(at *place) error { return at.dir.Remove(at.base) })
}

// capabilities is what an open needs.
func capabilities(flag int) (needs []string) {
	write := flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0
	if flag&os.O_WRONLY == 0 {
		needs = append(needs, arcp.NamespaceFSRead)
	}
	if write {
		needs = append(needs, arcp.NamespaceFSWrite)
	}
	return needs
}

// maxLinks is how many symbolic links are followed one after the other.
const maxLinks = 16

// reach asks the gate for a path and does something there. A link on the way is another path, which the lease must cover as well.
func (t *Task) reach(ctx context.Context, name string, needs []string, do func(*place) error) error {
	for _, capability := range needs {
		if err := t.Authorize(ctx, capability, name); err != nil {
			return err
		}
	}
	root := t.job.rt.opts.FileRoot
	for at, links := name, 0; ; links++ {
		link, err := walk(root, at, do)
		if link == "" {
			return err
		}
		if links == maxLinks {
			return &fs.PathError{Op: "open", Path: name, Err: errLinks}
		}
		for _, capability := range needs {
			refusal, err := t.gate(ctx, capability, link)
			if refusal != nil {
				refusal = arcp.NewError(refusal.Code, "the lease does not allow %s on where %q leads", capability, clip(name))
			}
			if err := t.verdict(ctx, capability, name, refusal, err); err != nil {
				return err
			}
		}
		at = link
	}
}
