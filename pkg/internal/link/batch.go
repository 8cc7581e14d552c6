package link

import "sync"

const (
	// maxBatchFrames and maxBatchBytes bound one flush of the bulk lane, so that a control frame waits for one batch at
	// most; 64 frames is where larger batches stop paying.
	maxBatchFrames = 64
	maxBatchBytes  = 64 << 10
	// keepBytes is the largest buffer kept for the next batch.
	keepBytes = 256 << 10
)

// Source is the bulk lane: it is asked for frames when there is room for them.
type Source interface {
	// Fill appends frames to b until b is full or nothing is ready, and says whether more is ready now. Only the writer
	// calls it, one call at a time, and never while it holds a lock. An error ends the link.
	Fill(b *Batch) (more bool, err error)
}

// Batch is one flush of the bulk lane. It is valid during Fill only.
type Batch struct{ frames }

// Lend gives the buffer to append frames to, the ends of the frames in it and how much more fits; Return takes both back.
// A source stops when nothing more fits, and is asked again for the next batch.
func (b *Batch) Lend() (buf []byte, ends []int, maxBytes, maxFrames int) {
	return b.buf, b.ends, maxBatchBytes - len(b.buf), maxBatchFrames - len(b.ends)
}

// Return takes back what Lend gave, with more frames appended to it.
func (b *Batch) Return(buf []byte, ends []int) { b.buf, b.ends = buf, ends }

// frames is a row of frames in one buffer.
type frames struct {
	buf  []byte
	ends []int
}

func (f *frames) end(buf []byte) {
	f.buf = buf
	f.ends = append(f.ends, len(buf))
}

// lanes are control lanes at rest.
var lanes = sync.Pool{New: func() any { return new(frames) }}

func (f *frames) reset() {
	if cap(f.buf) > keepBytes {
		f.buf = nil
	}
	f.buf, f.ends = f.buf[:0], f.ends[:0]
}

// split takes the newest frame off.
func (f *frames) split() (others, newest frames) {
	n, start := len(f.ends)-1, 0
	if n > 0 {
		start = f.ends[n-1]
	}
	return frames{f.buf, f.ends[:n]}, frames{f.buf[start:], []int{len(f.buf) - start}}
}

// each calls write with every frame until one fails.
func (f *frames) each(write func([]byte) error) error {
	start := 0
	for _, end := range f.ends {
		if err := write(f.buf[start:end:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}
