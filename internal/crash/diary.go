package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// entry is one line of a diary; one of the pointers, or Frame, is set.
type entry struct {
	At    int64           `json:"at"` // nanoseconds of Unix time: the processes of a round are on one machine
	Link  int             `json:"link,omitempty"`
	From  string          `json:"from,omitempty"`
	Frame json.RawMessage `json:"frame,omitempty"`

	Read  *reading `json:"read,omitempty"`
	Ended *ending  `json:"ended,omitempty"`
	// Passed is what the client is not to be handed any more, and knows it.
	Passed *passing `json:"passed,omitempty"`
	// Expired is the session that the runtime did not go on with.
	Expired string `json:"expired,omitempty"`
	// Unknown is a job that the runtime had on its list and did not know.
	Unknown string `json:"unknown,omitempty"`
	// Fault is what the client itself found wrong.
	Fault string `json:"fault,omitempty"`

	life string // the diary it stands in
}

// reading is an event as it was handed to the client.
type reading struct {
	Job    string `json:"job"`
	Index  uint64 `json:"index"`
	Stream int    `json:"stream"`          // counts the times a life began to read some job
	Begin  bool   `json:"begin,omitempty"` // the client asked for what comes from here
	Digest string `json:"digest"`          // of the body
}

// passing says up to where the client has been told that the events of a job are gone, or has asked for none.
type passing struct {
	Job   string `json:"job"`
	Index uint64 `json:"index"`
}

// ending is what the client was told of a job's end.
type ending struct {
	Job    string `json:"job"`
	Status string `json:"status"`
}

const (
	fromClient  = "client"
	fromRuntime = "runtime"
)

// diary is one life of one client. Its methods may be called from any goroutine; an entry is on the disk when they return.
type diary struct {
	mu sync.Mutex
	f  *os.File
	b  []byte
	// lax is for who only looks on: its diary need not be on the disk.
	lax bool
}

// openDiary begins the next diary of a client: one for each of its lives.
func openDiary(dir, name string, life int) (*diary, error) {
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s-%04d.ndjson", name, life)), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &diary{f: f}, nil
}

// frame notes a frame byte for byte, which JSON encoders would not.
func (d *diary) frame(link int, from string, frame []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.b = fmt.Appendf(d.b[:0], `{"at":%d,"link":%d,"from":%q,"frame":`, time.Now().UnixNano(), link, from)
	d.b = append(append(d.b, bytes.TrimSpace(frame)...), "}\n"...)
	d.keep(from == fromRuntime)
}

func (d *diary) note(e entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.At = time.Now().UnixNano()
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // an entry is made of texts and numbers
	}
	d.b = append(append(d.b[:0], line...), '\n')
	d.keep(true)
}

func (d *diary) close() { _ = d.f.Close() }

func (d *diary) fault(format string, args ...any) { d.note(entry{Fault: fmt.Sprintf(format, args...)}) }

// keep writes what is in b. A client without a diary proves nothing, so it ends.
func (d *diary) keep(sync bool) {
	_, err := d.f.Write(d.b)
	if err == nil && sync && !d.lax {
		err = d.f.Sync()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash: the diary cannot be kept:", err)
		os.Exit(exitBroken)
	}
}

// readDiaries returns the entries of all diaries of a folder whose names begin with prefix, in the order of time. Links are numbered
// through. The torn last line of a killed client is an entry that did not count yet.
func readDiaries(dir, prefix string) ([]entry, error) {
	files, err := filepath.Glob(filepath.Join(dir, prefix+"*.ndjson"))
	if err != nil {
		return nil, err
	}
	var all []entry
	links := 0
	for _, file := range files {
		entries, err := readDiary(file)
		if err != nil {
			return nil, err
		}
		most := 0
		for i := range entries {
			if l := entries[i].Link; l > 0 {
				most = max(most, l)
				entries[i].Link += links
			}
		}
		links += most
		all = append(all, entries...)
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(a.At, b.At) })
	return all, nil
}

func readDiary(file string) ([]entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	life := strings.TrimSuffix(filepath.Base(file), ".ndjson")
	var entries []entry
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		e := entry{life: life}
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", file, len(entries)+1, err)
		}
		entries = append(entries, e)
	}
}

// lives counts the diaries of a client.
func lives(dir, name string) int {
	files, _ := filepath.Glob(filepath.Join(dir, name+"-*.ndjson"))
	return len(files)
}

// replaceFile puts a file in the place of another one, on the disk and all at once.
func replaceFile(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// readOptional reads a file that need not be there.
func readOptional(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// side is who sent an entry's frame.
func (e *entry) side() arcp.Side {
	if e.From == fromRuntime {
		return arcp.FromRuntime
	}
	return arcp.FromClient
}
