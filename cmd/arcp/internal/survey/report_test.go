package survey

import (
	"fmt"
	"testing"
	"testing/fstest"
)

func TestTally(t *testing.T) {
	t.Parallel()
	var r Report
	tally := newTally(&r)
	for i := range 30 {
		tally.add(File{Path: fmt.Sprintf("a/f%02d.go", i), Bytes: int64(i)}, 2)
	}
	tally.add(File{Path: "b/x.py", Bytes: 1000}, 5)
	tally.add(File{Path: "README", Bytes: 5}, 1)
	tally.finish()
	if r.Files != 32 || r.Bytes != 435+1005 || r.Lines != 66 {
		t.Errorf("totals = %d files, %d bytes, %d lines", r.Files, r.Bytes, r.Lines)
	}
	if len(r.Largest) != maxLargest || r.Largest[0].Path != "b/x.py" || r.Largest[1].Path != "a/f29.go" {
		t.Errorf("largest = %v", r.Largest)
	}
	if l := r.Languages; len(l) != 3 || l[0].Name != "Python" || l[1] != (Language{"Go", 30, 435, 60}) || l[2].Name != "other" {
		t.Errorf("languages = %v", l)
	}
	if s := r.Sizes; len(s) != 3 || s[0].Path != "." || s[1] != (Folder{"a", 30, 435}) {
		t.Errorf("sizes = %v", s)
	}
}

func TestCountLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want int64
	}{{"", 0}, {"a", 1}, {"a\n", 1}, {"a\nb", 2}, {"a\x00\nb\n", 0}} {
		fsys := fstest.MapFS{"f": {Data: []byte(c.text)}}
		if got, err := countLines(fsys, File{Path: "f", Bytes: int64(len(c.text))}); got != c.want || err != nil {
			t.Errorf("countLines(%q) = %d, %v, want %d", c.text, got, err, c.want)
		}
	}
	if _, err := countLines(fstest.MapFS{}, File{Path: "f"}); err == nil {
		t.Error("countLines of no file gave no error")
	}
}
