package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/internal/dynjson"
	"github.com/arcpkit/arcp/pkg/client"
)

// kept is the session of a job that was left to itself. Whoever has it may cancel the job, so its file is for this user only.
type kept struct {
	URL     string    `json:"url"` // the only place the state is sent to
	Expires time.Time `json:"expires"`
	State   []byte    `json:"state"`
}

// keptSessions is the folder of kept sessions, a file for each job. Where there is none it is empty, and so is what it holds.
type keptSessions string

func openKept() (keptSessions, error) {
	dir, err := configFolder()
	if err != nil {
		return "", err
	}
	return keptSessions(filepath.Join(dir, "sessions")), nil
}

var plainID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}$`)

// path is the job's file. What a runtime calls its jobs cannot lead out of the folder.
func (k keptSessions) path(jobID string) string {
	if !plainID.MatchString(jobID) {
		sum := sha256.Sum256([]byte(jobID))
		jobID = "sha256-" + hex.EncodeToString(sum[:])
	}
	return filepath.Join(string(k), jobID+".json")
}

// prepare makes the folder, and removes what is of no use any more.
func (k keptSessions) prepare() error {
	if err := os.MkdirAll(string(k), 0o700); err != nil {
		return err
	}
	k.sweepNow()
	return nil
}

// save keeps a session under its job. It takes the place of one that is there only if told to: a job found by its key belongs to
// the session that submitted it first.
func (k keptSessions) save(jobID, url string, session *client.Session, replace bool) error {
	state, err := session.State().MarshalBinary()
	if err != nil {
		return err
	}
	window := time.Duration(min(session.Welcome().ResumeWindowSec, uint64(maxWindow/time.Second))) * time.Second
	text, err := dynjson.Marshal(kept{URL: url, Expires: time.Now().Add(window).UTC(), State: state})
	if err != nil {
		return err
	}
	return writePrivate(k.path(jobID), text, replace)
}

// renew saves a session again each time it has been resumed, for what is kept of it is soon no use then, as long as it is the one that is
// kept. It returns what waits for the end of that, which is the session's.
func (k keptSessions) renew(jobID, url string, session *client.Session, note func(string)) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range session.Renewed() {
			state, _, err := k.load(jobID)
			if err == nil && state.SessionID() == session.ID() {
				err = k.save(jobID, url, session, true)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				note(eventLine("client", term.Line("the session could not be kept: "+err.Error())))
			}
		}
	}()
	return func() { <-done }
}

// maxWindow bounds how long a file may be kept, whatever a runtime says.
const maxWindow = 365 * 24 * time.Hour

// load returns the session of a job and where it was; the error is fs.ErrNotExist when there is none that is still of use.
func (k keptSessions) load(jobID string) (client.State, string, error) {
	var state client.State
	if k == "" {
		return state, "", fs.ErrNotExist
	}
	text, err := readPrivate(k.path(jobID))
	if err != nil {
		return state, "", err
	}
	var one kept
	if dynjson.Unmarshal(text, &one) != nil || state.UnmarshalBinary(one.State) != nil { // their errors might show the secret
		return state, "", errors.New(k.path(jobID) + " is not a kept session: remove it")
	}
	if time.Now().After(one.Expires) {
		k.forget(jobID)
		return state, "", fs.ErrNotExist
	}
	return state, one.URL, nil
}

func (k keptSessions) forget(jobID string) {
	if k != "" {
		_ = os.Remove(k.path(jobID))
	}
}

// sweepNow removes the files of sessions that are over. What it cannot read it leaves alone.
func (k keptSessions) sweepNow() {
	if k == "" {
		return
	}
	now := time.Now()
	paths, err := filepath.Glob(filepath.Join(string(k), "*.json"))
	if err != nil {
		return
	}
	for _, path := range paths {
		var one kept
		text, err := readPrivate(path)
		if err == nil && dynjson.Unmarshal(text, &one) == nil && now.After(one.Expires) {
			_ = os.Remove(path)
		}
	}
}
