package jsonx

// OpenObject reads '{'. It returns false, having stepped over the value, when the next value is no object; after true,
// read members with Member and then NextKey until NextKey returns false.
func (d *Decoder) OpenObject() bool { return d.open('{', "an object") }

// OpenArray reads '['. It returns false, having stepped over the value, when the next value is no array; after true, read
// one element after each true of NextElement.
func (d *Decoder) OpenArray() bool { return d.open('[', "an array") }

func (d *Decoder) open(bracket byte, want string) bool {
	if d.pos >= len(d.buf) || d.buf[d.pos] != bracket {
		d.skipSpace()
		if d.pos >= len(d.buf) || d.buf[d.pos] != bracket {
			d.mismatch(want)
			return false
		}
	}
	if !d.enter(d.pos) {
		return false
	}
	d.pos++
	if len(d.unknown) > 0 {
		d.forgetUnknown(d.depth - 1)
	}
	return true
}

// Member reads the next member's name and colon if they are literally lit, for example `"type":`, and says whether they
// were. The separator before the name is its business. After false the cursor has not moved.
func (d *Decoder) Member(lit string) bool {
	p := d.pos
	if p >= len(d.buf) || p == 0 {
		return false
	}
	if d.buf[p-1] != '{' {
		if d.buf[p] != ',' {
			return false
		}
		// The common spaced style writes one space here and one behind the colon.
		if p++; p < len(d.buf) && d.buf[p] == ' ' {
			p++
		}
	}
	if len(d.buf)-p < len(lit) || string(d.buf[p:p+len(lit)]) != lit {
		return false
	}
	d.keyPos, d.pos = p, p+len(lit)
	return true
}

// Literal reads exactly the text lit if it stands at the cursor, and says whether it did. The caller answers for lit
// ending where a token ends and for opening no container.
func (d *Decoder) Literal(lit string) bool {
	if len(d.buf)-d.pos < len(lit) || string(d.buf[d.pos:d.pos+len(lit)]) != lit {
		return false
	}
	d.pos += len(lit)
	return true
}

// NextKey reads the next member's name and colon. It returns false at the end of the object, which it has read, and after
// an error.
func (d *Decoder) NextKey() (key string, ok bool) {
	p, more := d.separator('{', '}')
	if !more {
		return "", false
	}
	if p >= len(d.buf) || d.buf[p] != '"' {
		d.fail(p, "expected a member name")
		return "", false
	}
	end, escaped := d.scanString(p + 1)
	if end < 0 {
		return "", false
	}
	d.keyPos = p
	key = d.text(p+1, end, escaped)
	if p = d.colon(end + 1); p < 0 {
		return "", false
	}
	d.pos = p
	return key, true
}

// NextElement moves to the next element of an array. It returns false at the end of the array, which it has read, and
// after an error.
func (d *Decoder) NextElement() bool {
	p, more := d.separator('[', ']')
	if more {
		d.pos = p
	}
	return more
}

// separator steps to the next member or element, over the comma unless it is the first, or out of the container.
func (d *Decoder) separator(open, closing byte) (p int, more bool) {
	if d.broken {
		return 0, false
	}
	first := d.pos > 0 && d.buf[d.pos-1] == open
	p = spaceEnd(d.buf, d.pos)
	switch {
	case p >= len(d.buf):
		d.fail(p, "unexpected end of text")
		return p, false
	case d.buf[p] == closing:
		d.depth--
		d.pos = p + 1
		return p, false
	case first:
		return p, true
	case d.buf[p] != ',':
		d.fail(p, "expected a comma or the end of the "+containerOf(open))
		return p, false
	}
	if p = spaceEnd(d.buf, p+1); p < len(d.buf) && d.buf[p] == closing {
		d.fail(p, "comma before the end of the "+containerOf(open))
		return p, false
	}
	return p, true
}

func (d *Decoder) colon(p int) int {
	if p < len(d.buf) && d.buf[p] == ':' {
		return p + 1
	}
	if p = spaceEnd(d.buf, p); p < len(d.buf) && d.buf[p] == ':' {
		return p + 1
	}
	return d.fail(p, "expected a colon")
}

func containerOf(open byte) string {
	if open == '{' {
		return "object"
	}
	return "array"
}
