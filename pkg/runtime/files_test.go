//go:build unix

package runtime_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/runtime"
)

// grove makes a folder with files, links and a pipe.
func grove(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"w/in", "secret", "w/dir"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"w/in/a": "a", "w/b": "b", "secret/key": "key"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"w/out": "../secret/key", "w/outdir": "../secret", "w/abs": filepath.Join(root, "secret/key"), "w/etc": "/etc/passwd",
		"w/up": "../../../../../../etc/passwd", "w/good": "in/a", "w/gooddir": "./in", "w/goodabs": filepath.Join(root, "w/b"),
		"w/loop": "loop", "w/none": "nowhere", "w/new": "../secret/new", "w/twice": "gooddir/../out",
	} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "w/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestFilesStayInTheLease: where a path leads is asked about like the path. guards E5, T15.
func TestFilesStayInTheLease(t *testing.T) {
	t.Parallel()
	root := grove(t)
	type outcome struct{ name, got string }
	var got []outcome
	heard := underLease(t, func(o *runtime.Options) { o.FileRoot = root }, &arcp.JobSubmit{
		LeaseRequest: arcp.Lease{"fs.read": {"/w/**"}, "fs.write": {"/w/**"}},
	}, func(ctx context.Context, task *runtime.Task) error {
		note := func(name, text string, err error) {
			var refused *arcp.Error
			switch {
			case errors.As(err, &refused):
				text = string(refused.Code)
			case err != nil:
				text = errors.Unwrap(err).Error()
			}
			got = append(got, outcome{name, text})
		}
		for _, name := range []string{
			"/w/in/a", "/w/b", "/w/good", "/w/gooddir/a", "/w/goodabs", "/secret/key", "/w/out", "/w/outdir/key", "/w/abs", "/w/etc", "/w/up",
			"/w/../secret/key", "/w//b", "w/b", "/w/loop", "/w/none", "/w/pipe", "/w/twice",
		} {
			text, err := task.ReadFile(ctx, name)
			note(name, string(text), err)
		}
		note("write new", "ok", task.WriteFile(ctx, "/w/fresh", []byte("1"), 0o600))
		note("write again", "ok", task.WriteFile(ctx, "/w/fresh", []byte("2"), 0o600))
		note("write over a link out", "ok", task.WriteFile(ctx, "/w/out", []byte("stolen"), 0o600))
		note("write a new file over a link out", "ok", task.WriteFile(ctx, "/w/new", []byte("stolen"), 0o600))
		note("mkdir", "ok", task.Mkdir(ctx, "/w/made", 0o700))
		note("mkdir out", "ok", task.Mkdir(ctx, "/w/outdir/made", 0o700))
		note("remove out", "ok", task.Remove(ctx, "/w/outdir/key"))
		note("remove the link", "ok", task.Remove(ctx, "/w/out"))
		names, err := task.ReadDir(ctx, "/w/dir")
		note("list", "empty", err)
		if len(names) != 0 {
			t.Errorf("/w/dir holds %v", names)
		}
		return nil
	})
	const denied, outside = "PERMISSION_DENIED", "leads out of the folder of files"
	want := []outcome{
		{"/w/in/a", "a"},
		{"/w/b", "b"},
		{"/w/good", "a"},
		{"/w/gooddir/a", "a"},
		{"/w/goodabs", "b"},
		{"/secret/key", denied},
		{"/w/out", denied},
		{"/w/outdir/key", denied},
		{"/w/abs", denied},
		{"/w/etc", outside},
		{"/w/up", outside},
		{"/w/../secret/key", denied},
		{"/w//b", denied},
		{"w/b", denied},
		{"/w/loop", "leads over too many links"},
		{"/w/none", "no such file or directory"},
		{"/w/pipe", "is neither a file nor a folder"},
		{"/w/twice", denied},
		{"write new", "ok"},
		{"write again", "ok"},
		{"write over a link out", denied},
		{"write a new file over a link out", denied},
		{"mkdir", "ok"},
		{"mkdir out", denied},
		{"remove out", denied},
		{"remove the link", "ok"},
		{"list", "empty"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	text, err := os.ReadFile(filepath.Join(root, "w/fresh"))
	if err != nil || string(text) != "2" {
		t.Errorf("the file written holds %q, %v", text, err)
	}
	if text, err := os.ReadFile(filepath.Join(root, "secret/key")); err != nil || string(text) != "key" {
		t.Errorf("the secret was touched: %q, %v", text, err)
	}
	for _, name := range []string{"secret/new", "secret/made"} {
		if _, err := os.Stat(filepath.Join(root, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made", name)
		}
	}
	refused := 0
	for _, o := range got {
		if o.got == denied {
			refused++
		}
	}
	if logged := len(denials(heard)); logged != refused {
		t.Errorf("the log has %d refusals of %d", logged, refused)
	}
}

// TestFilesNeedTheRightLease: reading is not writing.
func TestFilesNeedTheRightLease(t *testing.T) {
	t.Parallel()
	root := grove(t)
	var codes []string
	underLease(t, func(o *runtime.Options) { o.FileRoot = root }, &arcp.JobSubmit{
		LeaseRequest: arcp.Lease{"fs.read": {"/w/in/*"}, "fs.write": {"/w/b", "/w/in/n"}},
	}, func(ctx context.Context, task *runtime.Task) error {
		for _, c := range []struct {
			name string
			flag int
		}{
			{"/w/in/a", os.O_RDONLY},
			{"/w/in/a", os.O_WRONLY},
			{"/w/in/a", os.O_RDWR},
			{"/w/in/a", os.O_RDONLY | os.O_TRUNC},
			{"/w/in/a", os.O_APPEND},
			{"/w/b", os.O_WRONLY},
			{"/w/b", os.O_RDWR},
			{"/w/in/n", os.O_RDWR | os.O_CREATE},
			{"/w/in/n", os.O_WRONLY | os.O_CREATE | os.O_EXCL},
		} {
			f, err := task.OpenFile(ctx, c.name, c.flag, 0o600)
			if err == nil {
				err = f.Close()
			}
			codes = append(codes, string(arcp.CodeOf(err)))
		}
		return nil
	})
	const no = "PERMISSION_DENIED"
	if want := []string{"", no, no, no, no, "", no, "", "INTERNAL_ERROR"}; !slices.Equal(codes, want) {
		t.Errorf("codes = %q, want %q", codes, want)
	}
}
