package link

import (
	"errors"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// readError marks an error of the connection, as against one of the handler.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// read is the reader loop. Once the link is ending it only waits for the connection to close, so that the peer's last
// words do not turn our close into a reset.
func (l *Link) read(handle func(*arcp.Envelope) error) error {
	if !l.o.ReadAhead {
		s := slab{max: l.o.ReadSlab}
		return l.handleAll(handle, func() inbound { return l.readOne(&s) })
	}
	a := l.readAhead()
	err := l.handleAll(handle, a.next)
	l.readers = a.stopped
	return err
}

// readOne reads one frame into a block, and notes that the peer lives.
func (l *Link) readOne(s *slab) inbound {
	frame, err := l.conn.Read(s.room())
	l.pulse.received()
	if err != nil {
		return inbound{err: err}
	}
	s.keep(frame)
	return inbound{frame: frame}
}

func (l *Link) handleAll(handle func(*arcp.Envelope) error, next func() inbound) error {
	var env arcp.Envelope
	bad := 0
	for {
		in := next()
		err := in.err
		if err != nil && !isFrameError(err) {
			return &readError{err}
		}
		if l.ending.Load() {
			continue
		}
		if err == nil {
			err = env.DecodeFrom(in.frame)
		}
		switch {
		case err == nil:
			bad = 0
			err = handle(&env)
		case l.o.OnBadEnvelope != nil && isEnvelope(&env, err):
			bad = 0
			err = l.o.OnBadEnvelope(&env, err)
		default:
			if bad++; l.badFrame(err) != nil || bad >= l.o.MaxBadFrames {
				return ErrBadFrames
			}
			err = nil
		}
		if err != nil {
			return err
		}
		if !l.o.ReadAhead {
			l.pulse.waiting()
		}
	}
}

// isEnvelope says whether the frame that err is about is a message all the same, only with a wrong member.
func isEnvelope(e *arcp.Envelope, err error) bool {
	var de *arcp.DecodeError
	return errors.As(err, &de) && de.Whole && e.ID != "" && e.Type != ""
}

func isFrameError(err error) bool {
	var fe *transport.FrameError
	return errors.As(err, &fe)
}

// badFrame reports a malformed frame to the peer, if the options have an answer.
func (l *Link) badFrame(err error) error {
	if l.o.OnBadFrame == nil {
		return nil
	}
	answer := l.o.OnBadFrame(err)
	if answer == nil {
		return nil
	}
	return l.Send(answer)
}

const (
	// firstSlab is the block a link begins with: most sessions never need more.
	firstSlab = 1 << 10
	// foreseen is the most that room is made for ahead of a frame that has not come.
	foreseen = 512 << 10
	// frameSlack is more room than a frame has bytes: who fills it to the last one grows it to learn of the frame's end.
	frameSlack = 512
)

// slab hands out room for frames in blocks that double up to max. One that foresees makes a block of its own for a frame that will be
// as large as the last: growing into it would copy it several times. It costs a connection that goes idle behind a large frame the block.
//
// Invariant: a byte that was given away by keep is never written again, for strings alias it.
type slab struct {
	buf      []byte
	max      int
	foresees bool
	next     int // what the next frame needs if it is like the last; 0 is what blocks have room for
}

// room gives an empty slice with what is left of the block, or of a new one when that is little.
func (s *slab) room() []byte {
	size := cap(s.buf)
	switch left := size - len(s.buf); {
	case s.next > left:
		s.buf = make([]byte, 0, s.next)
	case size == 0 || left < size/8:
		s.buf = make([]byte, 0, min(s.max, max(firstSlab, 2*size)))
	}
	return s.buf[len(s.buf):]
}

// keep gives frame away. A frame that outgrew the room has storage of its own; unless it would fit no block, the rest
// of this one is given up, or the next frame of that size would outgrow it too.
func (s *slab) keep(frame []byte) {
	s.next = 0
	if s.foresees && len(frame) > s.max/2 {
		s.next = min(len(frame)+frameSlack, foreseen)
	}
	switch left := cap(s.buf) - len(s.buf); {
	case cap(frame) == left:
		s.buf = s.buf[:len(s.buf)+len(frame)]
	case len(frame) <= s.max/2:
		s.buf = s.buf[:cap(s.buf)]
	}
}
