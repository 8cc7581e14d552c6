// Package survey is the agent of `arcp demo`: it walks a folder and reports what is in it, by size and language.
package survey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// Input is what a job of this agent takes.
type Input struct {
	// Path is the folder, relative to the agent's root; empty means the root.
	Path string `json:"path"`
}

// Currency is what a job pays for the files it reads with, where its budget has that.
const Currency = "files"

// progressSteps is about how many progress events a job emits while it reads.
const progressSteps = 40

// maxWarnings bounds the log events about single files.
const maxWarnings = 20

// Agent surveys folders below its root and looks nowhere else: symbolic links are not followed.
type Agent struct {
	root string // absolute
}

// New returns an agent confined to root, which must be a folder.
func New(root string) (*Agent, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", root)
	}
	return &Agent{root: abs}, nil
}

// Root returns the root as a lease names it: absolute, with '/' between segments.
func (a *Agent) Root() string { return filepath.ToSlash(a.root) }

// Run surveys the folder in the job's input. It needs fs.read on it.
func (a *Agent) Run(ctx context.Context, t *runtime.Task) error {
	var in Input
	if t.Input() != nil {
		if err := dynjson.Unmarshal(t.Input(), &in); err != nil {
			return arcp.NewError(arcp.CodeInvalidRequest, "/payload/input: %v", err)
		}
	}
	dir := path.Clean("/" + filepath.ToSlash(in.Path))[1:]
	if err := t.Authorize(ctx, arcp.NamespaceFSRead, path.Join(a.Root(), dir)); err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Join(a.root, filepath.FromSlash(dir)))
	if err != nil {
		return arcp.NewError(arcp.CodeInvalidRequest, "/payload/input/path: there is no such folder")
	}
	defer root.Close()
	w := &walk{task: t, fsys: root.FS(), root: path.Join(a.Root(), dir), report: Report{Path: path.Join("/", dir)}}
	if err := w.find(ctx); err != nil {
		return err
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	return w.finish(ctx)
}

// walk is one survey under way.
type walk struct {
	task     *runtime.Task
	fsys     fs.FS
	root     string // as a lease names it
	files    []File
	report   Report
	warnings int
}

// find lists the files.
func (w *walk) find(ctx context.Context) error {
	err := fs.WalkDir(w.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			w.warn(ctx, name, err)
			return nil
		case d.IsDir() && name != "." && isMetadata(d.Name()):
			return fs.SkipDir
		case d.IsDir():
			w.report.Folders++
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			w.warn(ctx, name, err)
			return nil
		}
		w.files = append(w.files, File{Path: name, Bytes: info.Size()})
		return nil
	})
	if err != nil {
		return err
	}
	return w.task.Log(ctx, arcp.LevelInfo, fmt.Sprintf("found %d files in %d folders", len(w.files), w.report.Folders), nil)
}

// isMetadata says whether a folder is version control's own.
func isMetadata(name string) bool { return name == ".git" || name == ".hg" || name == ".svn" }

// read looks into each file.
func (w *walk) read(ctx context.Context) error {
	t := newTally(&w.report)
	total, step, paid := len(w.files), max(1, len(w.files)/progressSteps), 0
	for i, f := range w.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		lines, err := countLines(w.fsys, f)
		if err != nil {
			w.warn(ctx, f.Path, err)
		}
		t.add(f, lines)
		if n := i + 1; n%step == 0 || n == total {
			if err := w.task.Progress(ctx, float64(n), float64(total), "files", path.Dir(f.Path)); err != nil {
				return err
			}
			if err := w.pay(ctx, n-paid, n < total); err != nil {
				return err
			}
			paid = n
		}
	}
	t.finish()
	return nil
}

// pay reports files that were read as a cost, and stops when there are more and no budget for them.
func (w *walk) pay(ctx context.Context, n int, more bool) error {
	if _, limited := w.task.Budget()[Currency]; !limited {
		return nil
	}
	if err := w.task.Metric(ctx, "cost.read", arcp.Number(strconv.Itoa(n)), Currency); err != nil || !more {
		return err
	}
	return w.task.Authorize(ctx, arcp.NamespaceFSRead, w.root)
}

// finish emits the totals and streams the report.
func (w *walk) finish(ctx context.Context) error {
	r := &w.report
	for _, m := range []struct {
		name, unit string
		value      int64
	}{
		{"survey.files", "files", r.Files},
		{"survey.bytes", "bytes", r.Bytes},
		{"survey.lines", "lines", r.Lines},
	} {
		if err := w.task.Metric(ctx, m.name, arcp.Number(strconv.FormatInt(m.value, 10)), m.unit); err != nil {
			return err
		}
	}
	if len(r.Largest) > 0 {
		f := r.Largest[0]
		if err := w.task.Log(ctx, arcp.LevelInfo, fmt.Sprintf("the largest file is %s with %d bytes", f.Path, f.Bytes), nil); err != nil {
			return err
		}
	}
	text, err := dynjson.Marshal(r)
	if err != nil {
		return err
	}
	out, err := w.task.ResultWriter(ctx, arcp.EncodingUTF8)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return errors.Join(err, out.Close())
}

// warn tells of a file that could not be read, without the reason's paths.
func (w *walk) warn(ctx context.Context, name string, err error) {
	w.report.Unread++
	if w.warnings++; w.warnings > maxWarnings {
		return
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	_ = w.task.Log(ctx, arcp.LevelWarn, fmt.Sprintf("%s: %v", name, err), nil) // a job that is over ends at its next step
}
