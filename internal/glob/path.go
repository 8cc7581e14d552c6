package glob

import (
	"errors"
	"slices"
	"strings"
	"unicode"
)

// checkPath refuses a path, or the pattern of one, that is not its own only spelling. Names are held to the same, but for
// what file systems make of a segment.
func checkPath(k Kind, path string) error {
	if strings.ContainsRune(path, '\\') {
		return errors.New("holds a backslash")
	}
	if err := checkEscapes(path); err != nil {
		return err
	}
	if err := checkNormal(path); err != nil {
		return err
	}
	for i, seg := range strings.Split(path, "/") {
		switch {
		case seg == "" && i == 0 && len(path) > 1:
			continue
		case isDots(seg):
			return errors.New("holds a dot segment")
		case seg == "":
			return errors.New("holds an empty segment")
		case k == Path:
			if err := checkFile(seg); err != nil {
				return err
			}
		}
	}
	return nil
}

// isDots says whether a segment is "." or "..", with path parameters behind it or not.
func isDots(seg string) bool {
	name, _, _ := strings.Cut(seg, ";")
	return name == "." || name == ".."
}

// checkFile refuses the segments that Windows takes for another file or none: it drops dots and spaces at the end, and
// knows devices, drives and the streams of a file.
func checkFile(seg string) error {
	if last := seg[len(seg)-1]; last == '.' || last == ' ' {
		return errors.New("holds a segment that ends in a dot or space")
	}
	if strings.Contains(seg, "::") || len(seg) > 1 && seg[1] == ':' {
		return errors.New("holds a drive or a stream")
	}
	device, _, _ := strings.Cut(seg, ".")
	device, _, _ = strings.Cut(device, ":")
	if isDevice(strings.ToLower(strings.TrimRight(device, " "))) {
		return errors.New("holds the name of a device")
	}
	return nil
}

func isDevice(name string) bool {
	for _, port := range []string{"com", "lpt"} {
		if n, ok := strings.CutPrefix(name, port); ok && len([]rune(n)) == 1 && strings.ContainsAny(n, "0123456789¹²³") {
			return true
		}
	}
	return slices.Contains([]string{"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}, name)
}

// checkEscapes refuses percent-encoded dots, separators, controls and percent signs: what a second decoding would turn
// into a path of other segments.
func checkEscapes(s string) error {
	for ; s != ""; s = s[1:] {
		if s[0] != '%' || len(s) < 3 || !isHex(s[1]) || !isHex(s[2]) {
			continue
		}
		code := strings.ToLower(s[1:3])
		switch {
		case slices.Contains([]string{"2e", "2f", "5c", "25"}, code):
			return errors.New("holds a percent-encoded dot, separator or percent sign")
		case code < "20" || code == "7f":
			return errors.New("holds a percent-encoded control character")
		}
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// lookalikes are characters that a conversion to an older character set, or Unicode's compatibility mapping, turns into a
// dot, a separator or a percent sign.
const lookalikes = "\uff0e\uff0f\uff3c\uff05\u2024\u2025\u2215\u2044\u29f5\u29f8\u2216\ufe52\ufe68\ufe6a"

// checkNormal refuses text that may not be in Unicode normal form C. It doubts more than it must: a second combining mark
// in a row is refused even where the order is right, for only the full tables could tell.
func checkNormal(s string) error {
	if strings.ContainsAny(s, lookalikes) {
		return errors.New("holds what may be read as a dot, separator or percent sign")
	}
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
