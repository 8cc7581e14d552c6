package jsonx

import "strconv"

// maxPointer bounds a pointer's length: names come from the peer and the pointer goes into an answer.
const maxPointer = 512

// PointerAt returns the JSON Pointer of the innermost value, or member name, that covers an offset of frame. It reads as
// far as frame is well-formed and never fails, so it serves for syntax errors too; it is meant for error paths only. It
// stops at an ancestor when the path is deeper than MaxDepth or longer than 512 bytes.
func PointerAt(frame []byte, offset int) string {
	w := pointerWalk{offset: offset}
	w.d.buf = frame
	w.value(0)
	return string(w.path)
}

type pointerWalk struct {
	d      Decoder
	offset int
	depth  int
	path   []byte
}

// value reads the value at p and returns the position behind it, or -1 when the offset lies inside or before it.
func (w *pointerWalk) value(p int) int {
	p = spaceEnd(w.d.buf, p)
	if p >= len(w.d.buf) || p >= w.offset {
		return -1
	}
	c := w.d.buf[p]
	if c != '{' && c != '[' {
		return w.within(w.d.skipScalar(p))
	}
	if w.depth++; w.depth > MaxDepth {
		return -1
	}
	if c == '{' {
		p = w.object(p + 1)
	} else {
		p = w.array(p + 1)
	}
	w.depth--
	return p
}

// push adds one token to the path, unless it would grow too long.
func (w *pointerWalk) push(token string) bool {
	if len(w.path)+1+len(token) > maxPointer {
		return false
	}
	w.path = append(append(w.path, '/'), token...)
	return true
}

func (w *pointerWalk) object(p int) int {
	base := len(w.path)
	for {
		p = spaceEnd(w.d.buf, p)
		switch {
		case p >= len(w.d.buf):
			return -1
		case w.d.buf[p] == '}':
			return w.within(p + 1)
		case w.d.buf[p] == ',':
			p = spaceEnd(w.d.buf, p+1)
		}
		if p >= len(w.d.buf) || w.d.buf[p] != '"' || p > w.offset {
			return -1
		}
		end, escaped := w.d.scanString(p + 1)
		if end < 0 {
			return -1
		}
		if !w.push(escapePointer(w.d.text(p+1, end, escaped))) {
			return -1
		}
		p = spaceEnd(w.d.buf, end+1)
		if p >= len(w.d.buf) || p >= w.offset || w.d.buf[p] != ':' {
			return -1
		}
		if p = w.value(p + 1); p < 0 || p > w.offset {
			return -1
		}
		w.path = w.path[:base]
	}
}

func (w *pointerWalk) array(p int) int {
	base := len(w.path)
	for i := 0; ; i++ {
		p = spaceEnd(w.d.buf, p)
		switch {
		case p >= len(w.d.buf):
			return -1
		case w.d.buf[p] == ']':
			return w.within(p + 1)
		case w.d.buf[p] == ',':
			p++
		}
		if !w.push(strconv.Itoa(i)) {
			return -1
		}
		if p = w.value(p); p < 0 || p > w.offset {
			return -1
		}
		w.path = w.path[:base]
	}
}

// within returns p, the end of a value, or -1 when the value covers the offset.
func (w *pointerWalk) within(p int) int {
	if p > w.offset {
		return -1
	}
	return p
}
