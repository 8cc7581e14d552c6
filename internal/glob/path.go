package glob

import (
	"errors"
	"strings"
	"unicode"
)

// checkPathPattern refuses patterns that no canonical path can match, and those that hide a dot segment.
func checkPathPattern(pattern string) error {
	if err := checkPath(pattern); err != nil {
		return err
	}
	return checkStars(pattern)
}

// checkPath refuses a path that is not its own only spelling.
func checkPath(path string) error {
	if strings.ContainsRune(path, '\\') {
		return errors.New("holds a backslash")
	}
	if err := checkEscapes(path); err != nil {
		return err
	}
	if err := checkNormal(path); err != nil {
		return err
	}
	if path == "/" {
		return nil
	}
	return checkSegments(path, false)
}

// checkSegments refuses empty and dot segments. The one before a leading '/' is allowed, and the one after a trailing
// '/' if directory is set.
func checkSegments(path string, directory bool) error {
	segments := strings.Split(path, "/")
	for i, seg := range segments {
		name, _, _ := strings.Cut(seg, ";")
		switch {
		case seg == "" && (i == 0 || directory && i == len(segments)-1):
		case seg == "":
			return errors.New("holds an empty segment")
		case name == "." || name == "..":
			return errors.New("holds a dot segment")
		}
	}
	return nil
}

// checkEscapes refuses percent-encoded dots, separators, controls and percent signs: what a second decoding would turn
// into a path of other segments.
func checkEscapes(s string) error {
	for i := strings.IndexByte(s, '%'); i >= 0 && i+2 < len(s); {
		switch strings.ToLower(s[i+1 : i+3]) {
		case "2e", "2f", "5c", "25", "7f":
			return errors.New("holds a percent-encoded dot, separator or percent sign")
		}
		if hi := s[i+1]; (hi == '0' || hi == '1') && isHex(s[i+2]) {
			return errors.New("holds a percent-encoded control character")
		}
		next := strings.IndexByte(s[i+1:], '%')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// checkNormal refuses text that may not be in Unicode normal form C. It doubts more than it must: a second combining mark
// in a row is refused even where the order is right, for only the full tables could tell.
func checkNormal(s string) error {
	marked := false
	for _, r := range s {
		if r < 0x300 {
			marked = false
			continue
		}
		mark := unicode.IsMark(r)
		if unicode.Is(unstable, r) || mark && marked {
			return errors.New("may not be in Unicode normal form C")
		}
		marked = mark
	}
	return nil
}
