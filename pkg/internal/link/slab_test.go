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
		blocks       int // at most, own storage of a frame included
	}{
		{"tiny", 20, 1000, 6},
		{"as events are", 377, 1000, 32},
		{"half a block", 8 << 10, 100, 100},
		{"larger than a block", 20 << 10, 100, 101},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := slab{max: 16 << 10}
			var kept [][]byte
			blocks, last := 0, []byte(nil)
			for i := range tc.frames {
				room := s.room()
				if first := room[:1]; last == nil || cap(first) > cap(last) {
					blocks++
				}
				frame := append(room, bytes.Repeat([]byte{byte(i)}, tc.size)...)
				if cap(frame) != cap(room) {
					blocks++
				}
				s.keep(frame)
				kept, last = append(kept, frame), room[:1]
			}
			if blocks > tc.blocks {
				t.Errorf("%d frames of %d bytes took %d blocks, want at most %d", tc.frames, tc.size, blocks, tc.blocks)
			}
			for i, f := range kept {
				if !bytes.Equal(f, bytes.Repeat([]byte{byte(i)}, tc.size)) {
					t.Fatalf("frame %d was written over", i)
				}
			}
		})
	}
}
