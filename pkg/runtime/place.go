package runtime

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

var (
	errReplaced = errors.New("was replaced while it was opened")
	errSpecial  = errors.New("is neither a file nor a folder")
	errOutside  = errors.New("leads out of the folder of files")
	errLinks    = errors.New("leads over too many links")
	errLink     = errors.New("is a link") // which is followed
)

// place is where a path ends: a name in a folder that was reached without a symbolic link. The folder is held, so that renaming something above
// it changes nothing.
type place struct {
	dir  *os.Root
	base string // "." for the folder itself
	path string
}

// walk goes to a path below a folder one name at a time and does something there. It follows no link: at the first one it stops and says
// where that leads, and nothing was done.
func walk(root, name string, do func(*place) error) (link string, err error) {
	if root == "" {
		root = "/"
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer func() { dir.Close() }()
	parts := strings.Split(strings.Trim(name, "/"), "/")
	for i, part := range parts[:len(parts)-1] {
		info, err := dir.Lstat(part)
		if err != nil {
			return "", &fs.PathError{Op: "open", Path: name, Err: plain(err)}
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return follow(root, dir, parts, i)
		}
		next, err := dir.OpenRoot(part)
		if err != nil {
			return "", &fs.PathError{Op: "open", Path: name, Err: plain(err)}
		}
		dir.Close()
		dir = next
		if got, err := dir.Stat("."); err != nil || !os.SameFile(info, got) {
			return "", &fs.PathError{Op: "open", Path: name, Err: errReplaced}
		}
	}
	at := &place{dir: dir, base: parts[len(parts)-1], path: name}
	if at.base == "" {
		at.base = "."
	}
	if err = do(at); errors.Is(err, errLink) {
		return follow(root, dir, parts, len(parts)-1)
	}
	return "", err
}

// open opens what is at the place: the very thing that was looked at, which is no link.
func (at *place) open(flag int, perm fs.FileMode) (*os.File, error) {
	refuse := func(err error) (*os.File, error) {
		return nil, &fs.PathError{Op: "open", Path: at.path, Err: plain(err)}
	}
	info, err := at.dir.Lstat(at.base)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		f, err := at.dir.OpenFile(at.base, flag|os.O_EXCL, perm) // a link that is put there meanwhile is refused
		if err != nil {
			return refuse(err)
		}
		return f, nil
	case err != nil:
		return refuse(err)
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return refuse(fs.ErrExist)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, errLink
	case !info.Mode().IsRegular() && !info.IsDir():
		return refuse(errSpecial)
	}
	f, err := at.dir.OpenFile(at.base, flag&^(os.O_CREATE|os.O_TRUNC), perm)
	if err != nil {
		return refuse(err)
	}
	got, err := f.Stat()
	switch {
	case err != nil:
	case !os.SameFile(info, got):
		err = errReplaced
	case flag&os.O_TRUNC != 0:
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return refuse(err)
	}
	return f, nil
}

// follow returns where a link leads that is part i of a path, in the form of a path of the lease.
func follow(root string, dir *os.Root, parts []string, i int) (string, error) {
	name := "/" + path.Join(parts...)
	to, err := dir.Readlink(parts[i])
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: plain(err)}
	}
	if filepath.IsAbs(to) {
		if to, err = filepath.Rel(root, to); err != nil || !filepath.IsLocal(to) {
			return "", &fs.PathError{Op: "open", Path: name, Err: errOutside}
		}
		to = filepath.ToSlash(to)
	} else {
		to = path.Join(path.Join(parts[:i]...), filepath.ToSlash(to))
	}
	if to == ".." || strings.HasPrefix(to, "../") {
		return "", &fs.PathError{Op: "open", Path: name, Err: errOutside}
	}
	return "/" + path.Join(append([]string{to}, parts[i+1:]...)...), nil
}

// plain takes off the names of a system error, which are not those of the lease.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
