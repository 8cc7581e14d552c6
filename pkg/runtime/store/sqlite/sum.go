package sqlite

import (
	"encoding/binary"
	"hash/crc32"
	"hash/crc64"
	"time"

	"github.com/arcpkit/arcp/pkg/runtime/store"
)

// tables of the two checksums: the short one for data, which the machine computes by itself, the long one for what is kept about it.
var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	ecma       = crc64.MakeTable(crc64.ECMA)
)

// segmentSum is the checksum of a segment, bound to its key and place.
func segmentSum(key int64, first uint64, n int, lens, data []byte) int64 {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], uint64(key))
	binary.LittleEndian.PutUint64(b[8:], first)
	binary.LittleEndian.PutUint64(b[16:], uint64(n))
	sum := crc32.Update(0, castagnoli, b[:])
	sum = crc32.Update(sum, castagnoli, lens)
	return int64(crc32.Update(sum, castagnoli, data))
}

// blobSum is the checksum of bytes that belong to a key; it is never zero, which stands for no bytes.
func blobSum(key int64, data []byte) int64 {
	b := binary.LittleEndian.AppendUint64(nil, uint64(key))
	return notZero(crc64.Update(crc64.Checksum(b, ecma), ecma, data))
}

// rowSum is the checksum of a job's row; never zero.
func rowSum(key int64, r *store.JobRow) int64 {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 256), uint64(key))
	for _, s := range []string{r.Principal, string(stamp(r.Created)), r.JobID, r.Agent, r.Status, string(r.Summary)} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return notZero(crc64.Checksum(b, ecma))
}

// sum is the checksum of a key and its head.
func (h *head) sum(id int64, k store.Key) uint64 {
	b := make([]byte, 0, 160)
	for _, n := range []uint64{
		uint64(id), uint64(k.Kind), uint64(len(k.ID)), uint64(h.epoch), uint64(len(h.owner)), flag(h.released),
		h.records, h.first, h.snapshotAt, uint64(h.snapshotSum), uint64(h.rowSum),
	} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = append(b, k.ID...)
	b = append(b, h.owner...)
	b = append(b, stamp(h.expires)...)
	return crc64.Checksum(b, ecma)
}

// secretSum is what a secret adds to the total.
func secretSum(name string, value []byte) uint64 {
	b := append([]byte(nil), name...)
	b = append(b, 0)
	return crc64.Update(crc64.Checksum(b, ecma), ecma, value)
}

// metaSum is the checksum of the row of meta.
func metaSum(next int64, total uint64) int64 {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(next))
	return int64(crc64.Checksum(binary.LittleEndian.AppendUint64(b, total), ecma))
}

// placeSum is what a row adds to the sum over an index.
func placeSum(columns []value) uint64 {
	b := make([]byte, 0, 128)
	for _, v := range columns {
		switch v := v.(type) {
		case int64:
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		case []byte:
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		}
	}
	return mix(crc64.Checksum(b, ecma))
}

// mix makes sums fit to be added up: checksums are linear, so that without it two changes could cancel out.
func mix(sum uint64) uint64 {
	sum ^= sum >> 30
	sum *= 0xbf58476d1ce4e5b9
	sum ^= sum >> 27
	sum *= 0x94d049bb133111eb
	return sum ^ sum>>31
}

func notZero(sum uint64) int64 {
	if sum == 0 {
		return 1
	}
	return int64(sum)
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// stampBias makes seconds since 1970 positive for every time.Time, so that stamps sort as times do.
const stampBias = 1 << 63

// stamp is a time as twelve bytes that sort; empty for the zero time, which sorts first.
func stamp(t time.Time) []byte {
	if t.IsZero() {
		return []byte{}
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 12), uint64(t.Unix())^stampBias)
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// unstamp is the inverse of stamp, in UTC.
func unstamp(b []byte) (time.Time, error) {
	switch len(b) {
	case 0:
		return time.Time{}, nil
	case 12:
		sec, nsec := binary.BigEndian.Uint64(b)^stampBias, binary.BigEndian.Uint32(b[8:])
		return time.Unix(int64(sec), int64(nsec)).UTC(), nil
	}
	return time.Time{}, damaged("a time of %d bytes", len(b))
}
