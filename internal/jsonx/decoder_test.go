package jsonx

import (
	"strings"
	"testing"
)

func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// TestScan judges whole texts: the corner cases of RFC 8259 and of our own strictness.
func TestScan(t *testing.T) {
	t.Parallel()
	for _, c := range scanCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Scan([]byte(c.text))
			switch {
			case c.problem == "" && err != nil:
				t.Errorf("Scan(%q) = %v, want nil", c.text, err)
			case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
				t.Errorf("Scan(%q) = %v, want %q", c.text, err, c.problem)
			}
		})
	}
}

type point struct {
	name string
	x, y int64
	seen uint8
}

// read is a decoder in the shape the generator writes.
func (p *point) read(d *Decoder) {
	*p = point{}
	if !d.OpenObject() {
		return
	}
	if d.Member(`"name":`) {
		p.name, p.seen = d.String(), p.seen|1
	}
	if d.Member(`"x":`) {
		p.x, p.seen = d.Int(), p.seen|2
	}
	if d.Member(`"y":`) {
		p.y, p.seen = d.Int(), p.seen|4
	}
	for key, ok := d.NextKey(); ok; key, ok = d.NextKey() {
		bit := uint8(0)
		switch key {
		case "name":
			bit = 1
		case "x":
			bit = 2
		case "y":
			bit = 4
		default:
			d.Unknown(key)
			continue
		}
		if p.seen&bit != 0 {
			d.Duplicate()
			return
		}
		p.seen |= bit
		switch key {
		case "name":
			p.name = d.String()
		case "x":
			p.x = d.Int()
		case "y":
			p.y = d.Int()
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	want := point{name: "p", x: 1, y: -2, seen: 7}
	for _, c := range []struct {
		name, text, problem string
	}{
		{"predicted", `{"name":"p","x":1,"y":-2}`, ""},
		{"spaced", `{"name": "p", "x": 1, "y": -2}`, ""},
		{"wide", " {\n\t\"name\" : \"p\" ,\r\n \"x\" : 1 , \"y\" : -2 \n} ", ""},
		{"other order", `{"y":-2,"x":1,"name":"p"}`, ""},
		{"escaped name", `{"\u006eame":"p","x":1,"\u0079":-2}`, ""},
		{"unknown between", `{"name":"p","z":{"z":1,"y":[2]},"x":1,"Name":"q","y":-2}`, ""},
		{"unknown first", `{"z":null,"name":"p","x":1,"y":-2}`, ""},
		{"known twice", `{"name":"p","x":1,"y":-2,"x":1}`, "offset 25: duplicate"},
		{"known twice by escape", `{"name":"p","x":1,"y":-2,"\u0078":1}`, "offset 25: duplicate"},
		{"unknown twice", `{"name":"p","z":1,"x":1,"y":-2,"z":1}`, "offset 31: duplicate"},
		{"unknown twice by escape", `{"name":"p","z":1,"x":1,"y":-2,"\u007a":1}`, "duplicate"},
		{"no comma", `{"name":"p""x":1}`, "expected a comma"},
		{"two commas", `{"name":"p",,"x":1}`, "expected a member name"},
		{"two spaces are fine", `{"name":"p",  "x":1,"y":-2}`, ""},
		{"comma at the end", `{"name":"p","x":1,"y":-2,}`, "comma before the end"},
		{"comma at the start", `{,"name":"p"}`, "expected a member name"},
		{"no end", `{"name":"p"`, "unexpected end"},
		{"no colon", `{"z" 1}`, "expected a colon"},
		{"wrong bracket", `{"name":"p"]`, "expected a comma"},
		{"tail", `{"name":"p","x":1,"y":-2}}`, "text after"},
		{"wrong type", `{"name":7,"x":1,"y":-2}`, "must be a string, not a number"},
		{"not an object", `[1]`, "must be an object, not an array"},
		{"fraction", `{"name":"p","x":1.0,"y":-2}`, "whole number"},
		{"empty", ``, "unexpected end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var d Decoder
			var got point
			d.Reset([]byte(c.text))
			got.read(&d)
			d.End()
			err := d.Err()
			if c.problem == "" && (err != nil || got != want) {
				t.Errorf("read(%s) = %+v, %v, want %+v", c.text, got, err, want)
			}
			if c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("read(%s) error = %v, want %q", c.text, err, c.problem)
			}
		})
	}
}

func TestUnknownIsPerObject(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 40 {
		many.WriteString(`,"` + strings.Repeat("k", i+1) + `":0`)
	}
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"siblings", `[{"z":1},{"z":1}]`, true},
		{"second of two", `[{"z":1},{"z":1,"z":2}]`, false},
		{"many", `[{"a":0` + many.String() + `}]`, true},
		{"many and a late duplicate", `[{"a":0` + many.String() + `,"kkk":0}]`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var d Decoder
			d.Reset([]byte(c.text))
			if d.OpenArray() {
				for d.NextElement() {
					var p point
					p.read(&d)
				}
			}
			d.End()
			if d.Failed() == c.ok {
				t.Errorf("errors = %v, want ok = %v", d.Errors(), c.ok)
			}
		})
	}
}

// A nested object's unknown names must not hide those its parent had before.
func TestUnknownAroundNested(t *testing.T) {
	t.Parallel()
	var d Decoder
	d.Reset([]byte(`{"z":1,"in":{"z":2},"z":3}`))
	d.OpenObject()
	for key, ok := d.NextKey(); ok; key, ok = d.NextKey() {
		if key != "in" {
			d.Unknown(key)
			continue
		}
		var p point
		p.read(&d)
	}
	if err := d.Err(); err == nil || !strings.Contains(err.Error(), "offset 20: duplicate") {
		t.Errorf("Err() = %v, want a duplicate at offset 20", err)
	}
}

func TestAllFindings(t *testing.T) {
	t.Parallel()
	frame := []byte(`{"a":[{"s":1},{"s":"x","n":-1}],"t":"noon","b~/":nul}`)
	var d Decoder
	d.Reset(frame)
	d.OpenObject()
	d.Member(`"a":`)
	d.OpenArray()
	for d.NextElement() {
		at := d.Save()
		d.OpenObject()
		d.Member(`"s":`)
		_ = d.String()
		if d.Member(`"n":`) {
			_ = d.Uint()
		} else {
			d.Missing(at, "n")
		}
		d.NextKey()
	}
	d.Member(`"t":`)
	d.Time()
	d.NextKey()
	d.Bool()
	var got []string
	for _, e := range d.Errors() {
		got = append(got, e.Pointer(frame)+": "+e.Problem)
	}
	want := []string{
		"/a/0/s: must be a string, not a number",
		"/a/0/n: required member is missing",
		"/a/1/n: must be a whole number from 0 to 2^64-1",
		"/t: must be an RFC 3339 time",
		"/b~0~1: not a JSON value",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("findings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	var d Decoder
	d.Reset([]byte(`{"payload":{"x":3},"type":"t"}`))
	d.OpenObject()
	d.NextKey()
	at := d.Save()
	d.Skip()
	key, _ := d.NextKey()
	typ := d.String()
	after := d.Save()
	d.Restore(at)
	var p point
	p.read(&d)
	d.Restore(after)
	if _, more := d.NextKey(); key != "type" || typ != "t" || p.x != 3 || more || d.Failed() {
		t.Errorf("key %q, type %q, x %d, more %v, errors %v", key, typ, p.x, more, d.Errors())
	}
}

func TestPointerIsBounded(t *testing.T) {
	t.Parallel()
	long := `{"a":{"` + strings.Repeat("k", 4096) + `":[x]}}`
	if got := PointerAt([]byte(long), len(long)-4); got != "/a" {
		t.Errorf("PointerAt(long name) = %.40q, want /a", got)
	}
	bomb := []byte(strings.Repeat("[", 1<<20))
	if got := PointerAt(bomb, len(bomb)); len(got) > maxPointer {
		t.Errorf("PointerAt(bomb) has %d bytes, want at most %d", len(got), maxPointer)
	}
}
