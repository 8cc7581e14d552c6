package arcp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// PrefixToken is what the tokens made by NewToken begin with, so that they are known when they leak.
const PrefixToken = "rt_"

// tokenBytes is the entropy of a token; §14 asks for 16 at least.
const tokenBytes = 32

// NewToken returns a fresh secret of 256 bits from crypto/rand, for resume tokens and bearer tokens.
func NewToken() Secret {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return MakeSecret(PrefixToken + base64.RawURLEncoding.EncodeToString(b[:]))
}

// TokenHash is what is kept of a token: SHA-256, enough for text that nobody can guess. It is a value and may be a map key.
type TokenHash [sha256.Size]byte

// HashToken returns the hash of a token.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// ParseTokenHash reads what String wrote.
func ParseTokenHash(s string) (TokenHash, error) {
	var h TokenHash
	if len(s) != hex.EncodedLen(len(h)) {
		return h, errors.New("a token hash is 64 hex digits")
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return h, errors.New("a token hash is 64 hex digits")
	}
	return h, nil
}

// String returns the hash as 64 hex digits.
func (h TokenHash) String() string { return hex.EncodeToString(h[:]) }

// Equal compares in constant time.
func (h TokenHash) Equal(o TokenHash) bool { return subtle.ConstantTimeCompare(h[:], o[:]) == 1 }
