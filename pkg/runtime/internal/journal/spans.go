package journal

import (
	"encoding/binary"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// A view's records. A job is named once, when it attaches, and by its slot after that. Values are stored.
const (
	recordAttach byte = 32 // slot, newest index that needs no number any more, then the job's id
	recordDetach byte = 33 // slot
	recordSpan   byte = 34 // slot, first seq, first index, count
	recordInline byte = 35 // seq, slot, the index it stands for, then the record
	recordTail   byte = 36 // newest seq given; precedes a trim
	recordAnswer byte = 37 // the seq a positioned frame that is no accepted stands after, then the frame
)

// record stages one record of integers under the view's key.
func (v *View) record(kind byte, ints ...uint64) {
	var buf [1 + 4*binary.MaxVarintLen64]byte
	out := append(buf[:0], kind)
	for _, n := range ints {
		out = binary.AppendUvarint(out, n)
	}
	v.stage(out, nil)
}

func (v *View) recordAttach(slot uint32, seen uint64, jobID string) {
	var buf [1 + 2*binary.MaxVarintLen64]byte
	out := binary.AppendUvarint(append(buf[:0], recordAttach), uint64(slot))
	v.stage(binary.AppendUvarint(out, seen), []byte(jobID))
}

func (v *View) recordInline(seq uint64, slot uint32, index uint64, rec []byte) {
	head := binary.AppendUvarint([]byte{recordInline}, seq)
	head = binary.AppendUvarint(head, uint64(slot))
	v.stage(binary.AppendUvarint(head, index), rec)
}

func (v *View) recordAnswer(after uint64, frame []byte) {
	v.stage(binary.AppendUvarint([]byte{recordAnswer}, after), frame)
}

// name records again what the records about to be trimmed say and later ones need: which slots are which jobs, the answers
// that are still to be had, and the newest number. Attached and at once detached is the name of a job that is only replayed.
func (v *View) name() {
	if v.trimTo <= v.trimmed {
		return
	}
	before, named := v.records, map[uint32]bool{0: true}
	for l, a := range v.logs {
		v.recordAttach(a.slot, a.seen, l.jobID)
		named[a.slot] = true
	}
	v.mu.Lock()
	for i := range v.entries {
		if e := &v.entries[i]; e.log != nil && !named[e.slot] {
			named[e.slot] = true
			v.recordAttach(e.slot, 0, e.log.jobID)
			v.record(recordDetach, uint64(e.slot))
		}
	}
	for i := range v.positioned {
		if p := &v.positioned[i]; p.of == nil {
			v.recordAnswer(p.after, p.frame)
		}
	}
	v.mu.Unlock()
	v.record(recordTail, v.next)
	v.named, v.names = true, v.records-before
}

// stage adds a record to those that go with the next batch, in one operation, so that they are committed together or not at all. In a
// private store nobody would ever read it, and there is none.
func (v *View) stage(head, body []byte) {
	v.seq.touch(v)
	if v.seq.Private {
		return
	}
	n := len(head) + len(body)
	if s := v.slab; s == nil || cap(s.data)-len(s.data) < n || len(s.ends) == cap(s.ends) {
		v.slab = v.larger(n)
	}
	s := v.slab
	s.data = append(append(s.data, head...), body...)
	s.ends = append(s.ends, uint32(len(s.data)))
	v.records++
}

// larger is a slab with the staged records of the full one, which nobody has seen yet, and room for n bytes more.
func (v *View) larger(n int) *slab {
	size, staged := slabMin/4, store.Segment{}
	if v.slab != nil {
		size = min(4*cap(v.slab.data), slabMax)
	}
	if v.sealed < v.records {
		staged = v.slab.segment(v.sealed+1, v.records)
	}
	held := len(staged.Data) - int(staged.Off)
	size = max(size, 2*held+n)
	s := &slab{
		data: make([]byte, 0, size), ends: make([]uint32, 0, max(8, size/8, 2*staged.Len())), rec0: v.sealed + 1, idx0: v.sealed + 1,
	}
	s.data = append(s.data, staged.Data[staged.Off:]...)
	for _, end := range staged.Ends {
		s.ends = append(s.ends, end-staged.Off)
	}
	return s
}

// seal moves the staged records into the batch.
func (v *View) seal(b *store.Batch) {
	if v.sealed == v.records || v.lost {
		return
	}
	seg := v.slab.segment(v.sealed+1, v.records)
	b.Ops = append(b.Ops, store.Op{Key: v.key, Epoch: v.epoch, Head: v.sealed, Append: seg})
	v.sealed = v.records
}
