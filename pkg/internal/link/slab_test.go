package link

import (
	"bytes"
	"testing"
)

func TestSlab(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		size, frames int
		foresees     bool
		blocks       int // at most, own storage of a frame included
		outgrown     int // frames, at most
	}{
		{"tiny", 20, 1000, false, 6, 1000},
		{"as events are", 377, 1000, false, 32, 1000},
		{"half a block", 8 << 10, 100, false, 100, 100},
		{"larger than a block", 20 << 10, 100, false, 101, 100},
		{"as events are, foreseen", 377, 1000, true, 32, 1000},
		{"larger than a block, foreseen", 20 << 10, 100, true, 102, 1},
		{"chunks, foreseen", 350 << 10, 10, true, 12, 1},
		{"too large to foresee", 1 << 20, 3, true, 6, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := slab{max: 16 << 10, foresees: tc.foresees}
			var kept [][]byte
			blocks, outgrown, last := 0, 0, []byte(nil)
			for i := range tc.frames {
				room := s.room()
				if first := room[:1]; last == nil || cap(first) > cap(last) {
					blocks++
				}
				frame := append(room, bytes.Repeat([]byte{byte(i)}, tc.size)...)
				if cap(frame) != cap(room) {
					blocks++
					outgrown++
				}
				s.keep(frame)
				kept, last = append(kept, frame), room[:1]
			}
			if blocks > tc.blocks || outgrown > tc.outgrown {
				t.Errorf("%d frames of %d bytes took %d blocks and %d outgrew theirs, want at most %d and %d",
					tc.frames, tc.size, blocks, outgrown, tc.blocks, tc.outgrown)
			}
			for i, f := range kept {
				if !bytes.Equal(f, bytes.Repeat([]byte{byte(i)}, tc.size)) {
					t.Fatalf("frame %d was written over", i)
				}
			}
		})
	}
}

// A small frame behind large ones goes into the block that was made for another, and the next makes no such block.
func TestSlabForgetsLargeFrames(t *testing.T) {
	t.Parallel()
	s := slab{max: 16 << 10, foresees: true}
	read := func(size int) (room int) {
		r := s.room()
		s.keep(append(r, make([]byte, size)...))
		return cap(r)
	}
	read(100 << 10)
	if room := read(100); room <= 100<<10 {
		t.Errorf("behind a frame of 100 KiB there is room for %d bytes, want more than for another", room)
	}
	for range 1000 {
		read(377)
	}
	if room := read(377); room > 16<<10 {
		t.Errorf("behind small frames there is room for %d bytes, want a block's at most", room)
	}
}
