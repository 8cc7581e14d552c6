package main

import (
	"log/slog"
	"os"
	"os/signal"
	"sync"
)

// auditFile appends records to a file that can be opened anew, when somebody has moved it away.
type auditFile struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	file  *os.File
	lossy bool // records were lost since the last that was written
}

// openAudit opens or makes the file, mode 0600. The mode of one that is there stays.
func openAudit(path string, log *slog.Logger) (*auditFile, error) {
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	return &auditFile{path: path, log: log, file: f}, nil
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
}

// logger writes records as lines of JSON: time, action, and the runtime's fields.
func (a *auditFile) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(a, &slog.HandlerOptions{ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case attr.Key == slog.MessageKey:
			attr.Key = "action"
		case attr.Key == slog.LevelKey:
			return slog.Attr{}
		}
		return attr
	}}))
}

// Write appends one record. What cannot be written is lost, which the log says once until it is over: nobody is denied service for it.
func (a *auditFile) Write(record []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, err := a.file.Write(record)
	switch {
	case err != nil && !a.lossy:
		a.log.Error("records for the audit log are being lost", "file", a.path, "error", err)
	case err == nil && a.lossy:
		a.log.Error("records for the audit log are written again", "file", a.path)
	}
	a.lossy = err != nil
	return n, err
}

// reopen goes on in a file of the same name. The old one is kept when that cannot be opened.
func (a *auditFile) reopen() {
	f, err := appendTo(a.path)
	if err != nil {
		a.log.Error("the audit log cannot be opened anew", "error", err)
		return
	}
	a.mu.Lock()
	old := a.file
	a.file = f
	a.mu.Unlock()
	_ = old.Close()
	a.log.Info("opened the audit log anew", "file", a.path)
}

// reopenOn opens the file anew whenever a signal comes, until stop is called.
func (a *auditFile) reopenOn(sig ...os.Signal) (stop func()) {
	came, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(came, sig...)
	go func() {
		for {
			select {
			case <-came:
				a.reopen()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(came); close(done) }
}

func (a *auditFile) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file.Close()
}
