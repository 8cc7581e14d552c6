package arcp

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Prefixes of the ids that we make.
const (
	PrefixSession    = "sess_"
	PrefixJob        = "job_"
	PrefixResult     = "res_"
	PrefixMessage    = "msg_"
	PrefixCall       = "call_"
	PrefixMint       = "mint_"
	PrefixCredential = "cred_"
)

// crockford is the base 32 of ids: digits sort before letters, and no letter is mistaken for a digit.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns prefix and 26 characters that are unique and sort by the millisecond they were made in.
func NewID(prefix string) string {
	var b [64]byte
	return string(AppendID(b[:0], prefix))
}

// AppendID appends what NewID returns. Like a UUIDv7 an id is 48 bits of Unix milliseconds followed by 80 random bits.
// An id is no secret and proves nothing; see NewToken.
func AppendID(dst []byte, prefix string) []byte {
	dst = append(dst, prefix...)
	ms := uint64(time.Now().UnixMilli())
	for shift := 45; shift >= 0; shift -= 5 {
		dst = append(dst, crockford[ms>>shift&31])
	}
	for range 2 {
		bits := rand.Uint64()
		for range 8 {
			dst = append(dst, crockford[bits&31])
			bits >>= 5
		}
	}
	return dst
}

// EventID returns the id of a job's event: the same in every session and replay (§5).
func EventID(jobID string, index uint64) string {
	return jobID + "." + strconv.FormatUint(index, 10)
}
