package jsonx

// Null reads null if it is the next value, and says whether it was. After false the cursor has not moved.
func (d *Decoder) Null() bool {
	p := d.pos
	if p < len(d.buf) && d.buf[p] != 'n' {
		if p = spaceEnd(d.buf, p); p >= len(d.buf) || d.buf[p] != 'n' {
			return false
		}
	}
	end := litEnd(d.buf, p, "null")
	if end < 0 {
		return false
	}
	d.pos = end
	return true
}

// Bool reads true or false.
func (d *Decoder) Bool() bool {
	p := spaceEnd(d.buf, d.pos)
	if end := litEnd(d.buf, p, "true"); end >= 0 {
		d.pos = end
		return true
	}
	if end := litEnd(d.buf, p, "false"); end >= 0 {
		d.pos = end
		return false
	}
	d.mismatch("a boolean")
	return false
}

// Raw reads any value strictly and returns its text, which aliases the frame; nil after an error.
func (d *Decoder) Raw() []byte {
	d.skipSpace()
	start := d.pos
	if d.Skip() == "" {
		return nil
	}
	return d.buf[start:d.pos:d.pos]
}

// RawObject is Raw for a value that must be an object.
func (d *Decoder) RawObject() []byte {
	if d.Peek() != '{' {
		d.mismatch("an object")
		return nil
	}
	return d.Raw()
}

// Skip reads any value strictly and names its type ("an object", "null"), "" after an error.
func (d *Decoder) Skip() string {
	p := spaceEnd(d.buf, d.pos)
	end := d.skipValue(p)
	if end < 0 {
		return ""
	}
	d.pos = end
	return kindOf(d.buf[p])
}

// skipValue checks the value at p and returns the position behind it, or -1 after an error.
func (d *Decoder) skipValue(p int) int {
	if p < len(d.buf) {
		switch d.buf[p] {
		case '{':
			return d.skipObject(p)
		case '[':
			return d.skipArray(p)
		}
	}
	return d.skipScalar(p)
}

func (d *Decoder) skipScalar(p int) int {
	if p >= len(d.buf) {
		return d.fail(p, "unexpected end of text")
	}
	lit := ""
	switch c := d.buf[p]; {
	case c == '"':
		end, _ := d.scanString(p + 1)
		if end < 0 {
			return -1
		}
		return end + 1
	case c == '-' || c >= '0' && c <= '9':
		return d.scanNumber(p)
	case c == 't':
		lit = "true"
	case c == 'f':
		lit = "false"
	case c == 'n':
		lit = "null"
	}
	if lit != "" {
		if end := litEnd(d.buf, p, lit); end >= 0 {
			return end
		}
	}
	return d.fail(p, "not a JSON value")
}

func (d *Decoder) skipObject(p int) int {
	if !d.enter(p) {
		return -1
	}
	var keys keySet
	if p = spaceEnd(d.buf, p+1); p < len(d.buf) && d.buf[p] == '}' {
		d.depth--
		return p + 1
	}
	for {
		if p >= len(d.buf) || d.buf[p] != '"' {
			return d.fail(p, "expected a member name")
		}
		end, escaped := d.scanString(p + 1)
		if end < 0 {
			return -1
		}
		if !keys.add(d.text(p+1, end, escaped)) {
			return d.fail(p, "duplicate member name")
		}
		if p = d.colon(end + 1); p < 0 {
			return -1
		}
		if p = d.skipValue(spaceEnd(d.buf, p)); p < 0 {
			return -1
		}
		p = spaceEnd(d.buf, p)
		switch {
		case p < len(d.buf) && d.buf[p] == ',':
			p = spaceEnd(d.buf, p+1)
		case p < len(d.buf) && d.buf[p] == '}':
			d.depth--
			return p + 1
		default:
			return d.fail(p, "expected a comma or the end of the object")
		}
	}
}

func (d *Decoder) skipArray(p int) int {
	if !d.enter(p) {
		return -1
	}
	if p = spaceEnd(d.buf, p+1); p < len(d.buf) && d.buf[p] == ']' {
		d.depth--
		return p + 1
	}
	for {
		if p = d.skipValue(p); p < 0 {
			return -1
		}
		p = spaceEnd(d.buf, p)
		switch {
		case p < len(d.buf) && d.buf[p] == ',':
			p = spaceEnd(d.buf, p+1)
		case p < len(d.buf) && d.buf[p] == ']':
			d.depth--
			return p + 1
		default:
			return d.fail(p, "expected a comma or the end of the array")
		}
	}
}

// litEnd returns the position behind lit if it stands at p and no longer word does, else -1.
func litEnd(buf []byte, p int, lit string) int {
	end := p + len(lit)
	if end > len(buf) || string(buf[p:end]) != lit {
		return -1
	}
	if end < len(buf) && buf[end] >= 'a' && buf[end] <= 'z' {
		return -1
	}
	return end
}

// Scan checks that text is one strictly well-formed value and nothing else.
func Scan(text []byte) error {
	var d Decoder
	d.Reset(text)
	d.Skip()
	d.End()
	return d.Err()
}
