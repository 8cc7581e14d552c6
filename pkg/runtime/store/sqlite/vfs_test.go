//go:build linux

package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// how is in what way operations fail.
type how struct {
	once bool  // only one fails; otherwise all after it do, too
	code int32 // what a failing write returns
	part bool  // a failing write has written its first half
}

// fault is what goes wrong with the files of one directory. Writes, syncs and truncations are counted; number at is the first to fail.
type fault struct {
	how
	mu    sync.Mutex
	count int
	at    int               // zero is never
	disk  map[string][]byte // what a power loss leaves of each file for certain: its content at the last sync
}

// synced notes that what was written to a file is on the disk.
func (f *fault) synced(path string) {
	b, err := os.ReadFile(path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.disk == nil {
		f.disk = map[string][]byte{}
	}
	if err == nil {
		f.disk[filepath.Base(path)] = b
	}
}

// next counts an operation and says whether it fails.
func (f *fault) next() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	return f.at > 0 && (f.count == f.at || f.count > f.at && !f.once)
}

// hit says whether the one that is to fail was reached; nothing fails any more.
func (f *fault) hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	hit := f.count >= f.at
	f.at = 0
	return hit
}

// vfsName is the file layer that can fail. It is SQLite's own with writing, syncing and truncating looked at.
const vfsName = "arcp-faulty"

// faulty is what callbacks from SQLite find by address: which faults a file has and the methods it would have otherwise.
var faulty struct {
	once   sync.Once
	mu     sync.Mutex
	base   uintptr // the layer underneath
	byDir  map[string]*fault
	files  map[uintptr]openFile
	copies map[uintptr]uintptr // methods with ours in them, by the original
}

type openFile struct {
	fault *fault
	path  string
	base  uintptr // its original methods
}

// breakable makes the files of a directory fail as the returned fault says.
func breakable(t *testing.T, dir string, f *fault) {
	t.Helper()
	faulty.once.Do(register)
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	faulty.mu.Lock()
	faulty.byDir[dir] = f
	faulty.mu.Unlock()
	t.Cleanup(func() {
		faulty.mu.Lock()
		delete(faulty.byDir, dir)
		faulty.mu.Unlock()
	})
}

func register() {
	faulty.byDir, faulty.files, faulty.copies = map[string]*fault{}, map[uintptr]openFile{}, map[uintptr]uintptr{}
	tls := libc.NewTLS()
	faulty.base = lib.Xsqlite3_vfs_find(tls, 0)
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
	name, _ := libc.CString(vfsName)
	v := at[lib.Tsqlite3_vfs](p)
	*v = *at[lib.Tsqlite3_vfs](faulty.base)
	v.FzName, v.FpNext, v.FxOpen = name, 0, address(openHook)
	lib.Xsqlite3_vfs_register(tls, p, 0)
}

// at is what lies at an address that SQLite gave.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// address is how SQLite calls a function of ours.
func address(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// function is the one at an address.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

func openHook(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	open := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](at[lib.Tsqlite3_vfs](faulty.base).FxOpen)
	rc := open(tls, vfs, name, file, flags, out)
	if rc != lib.SQLITE_OK || name == 0 {
		return rc
	}
	path := strings.Clone(libc.GoString(name))
	faulty.mu.Lock()
	defer faulty.mu.Unlock()
	if f := faulty.byDir[filepath.Dir(path)]; f != nil {
		methods := at[lib.Tsqlite3_file](file)
		faulty.files[file] = openFile{f, path, methods.FpMethods}
		methods.FpMethods = methodsOver(tls, methods.FpMethods)
	}
	return rc
}

func methodsOver(tls *libc.TLS, base uintptr) uintptr {
	if p, ok := faulty.copies[base]; ok {
		return p
	}
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_io_methods{})))
	m := at[lib.Tsqlite3_io_methods](p)
	*m = *at[lib.Tsqlite3_io_methods](base)
	m.FxWrite, m.FxTruncate, m.FxSync, m.FxClose = address(writeHook), address(truncateHook), address(syncHook), address(closeHook)
	faulty.copies[base] = p
	return p
}

func lookUp(file uintptr) (openFile, *lib.Tsqlite3_io_methods) {
	faulty.mu.Lock()
	defer faulty.mu.Unlock()
	f := faulty.files[file]
	return f, at[lib.Tsqlite3_io_methods](f.base)
}

func writeHook(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	f, base := lookUp(file)
	write := function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](base.FxWrite)
	if !f.fault.next() {
		return write(tls, file, data, n, offset)
	}
	if f.fault.part {
		write(tls, file, data, n/2, offset)
	}
	return f.fault.code
}

func truncateHook(tls *libc.TLS, file uintptr, size int64) int32 {
	f, base := lookUp(file)
	if f.fault.next() {
		return lib.SQLITE_IOERR_TRUNCATE
	}
	return function[func(*libc.TLS, uintptr, int64) int32](base.FxTruncate)(tls, file, size)
}

func syncHook(tls *libc.TLS, file uintptr, flags int32) int32 {
	f, base := lookUp(file)
	if f.fault.next() {
		return lib.SQLITE_IOERR_FSYNC
	}
	rc := function[func(*libc.TLS, uintptr, int32) int32](base.FxSync)(tls, file, flags)
	f.fault.synced(f.path)
	return rc
}

func closeHook(tls *libc.TLS, file uintptr) int32 {
	_, base := lookUp(file)
	faulty.mu.Lock()
	delete(faulty.files, file)
	faulty.mu.Unlock()
	return function[func(*libc.TLS, uintptr) int32](base.FxClose)(tls, file)
}
