package survey

import (
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// maxLargest is how many of the largest files a report names.
const maxLargest = 20

// Report is the result of a job, as JSON.
type Report struct {
	Path      string     `json:"path"`
	Files     int64      `json:"files"`
	Folders   int64      `json:"folders"`
	Bytes     int64      `json:"bytes"`
	Lines     int64      `json:"lines"`
	Unread    int64      `json:"unread"`    // files and folders that could not be read
	Languages []Language `json:"languages"` // by bytes, the most first
	Largest   []File     `json:"largest"`   // the most first
	Sizes     []Folder   `json:"sizes"`     // of each folder, its own files only, by path
}

// Language is the share of one language.
type Language struct {
	Name  string `json:"name"`
	Files int64  `json:"files"`
	Bytes int64  `json:"bytes"`
	Lines int64  `json:"lines"`
}

// File is one file.
type File struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Folder is one folder.
type Folder struct {
	Path  string `json:"path"`
	Files int64  `json:"files"`
	Bytes int64  `json:"bytes"`
}

// tally adds files up to a report.
type tally struct {
	report    *Report
	languages map[string]*Language
	folders   map[string]*Folder
}

func newTally(r *Report) *tally {
	return &tally{report: r, languages: map[string]*Language{}, folders: map[string]*Folder{}}
}

func (t *tally) add(f File, lines int64) {
	t.report.Files++
	t.report.Bytes += f.Bytes
	t.report.Lines += lines
	name := languageOf(f.Path)
	l := t.languages[name]
	if l == nil {
		l = &Language{Name: name}
		t.languages[name] = l
	}
	l.Files++
	l.Bytes += f.Bytes
	l.Lines += lines
	dir := path.Dir(f.Path)
	d := t.folders[dir]
	if d == nil {
		d = &Folder{Path: dir}
		t.folders[dir] = d
	}
	d.Files++
	d.Bytes += f.Bytes
	t.keepLargest(f)
}

func (t *tally) keepLargest(f File) {
	order := func(a, b File) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path)) }
	i, _ := slices.BinarySearchFunc(t.report.Largest, f, order)
	if i >= maxLargest {
		return
	}
	t.report.Largest = slices.Insert(t.report.Largest, i, f)
	t.report.Largest = t.report.Largest[:min(len(t.report.Largest), maxLargest)]
}

func (t *tally) finish() {
	for _, l := range t.languages {
		t.report.Languages = append(t.report.Languages, *l)
	}
	slices.SortFunc(t.report.Languages, func(a, b Language) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	for _, dir := range slices.Sorted(maps.Keys(t.folders)) {
		t.report.Sizes = append(t.report.Sizes, *t.folders[dir])
	}
}

// maxCounted is the size in bytes above which a file is not read for its lines.
const maxCounted = 8 << 20

// countLines counts the lines of a text file; 0 for one that is not text or too large.
func countLines(fsys fs.FS, f File) (int64, error) {
	if f.Bytes > maxCounted {
		return 0, nil
	}
	file, err := fsys.Open(f.Path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxCounted))
	if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
		return 0, err
	}
	lines := int64(bytes.Count(text, []byte{'\n'}))
	if n := len(text); n > 0 && text[n-1] != '\n' {
		lines++
	}
	return lines, nil
}

// languageOf names the language of a file by its name.
func languageOf(name string) string {
	base := path.Base(name)
	if l, ok := byName[base]; ok {
		return l
	}
	ext := strings.ToLower(path.Ext(base))
	if l, ok := byExtension[ext]; ok {
		return l
	}
	if ext == "" || ext == base {
		return "other"
	}
	return "other (" + ext + ")"
}

var byName = map[string]string{
	"Makefile": "Make", "Dockerfile": "Docker", "go.mod": "Go module", "go.sum": "Go module", "LICENSE": "Text",
}

var byExtension = map[string]string{
	".go": "Go", ".py": "Python", ".rb": "Ruby", ".rs": "Rust", ".js": "JavaScript", ".mjs": "JavaScript",
	".jsx": "JavaScript", ".ts": "TypeScript", ".tsx": "TypeScript", ".java": "Java", ".kt": "Kotlin", ".swift": "Swift",
	".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".hpp": "C++", ".cs": "C#", ".fs": "F#", ".php": "PHP",
	".sh": "Shell", ".bash": "Shell", ".sql": "SQL", ".html": "HTML", ".css": "CSS", ".scss": "CSS", ".md": "Markdown",
	".rst": "Text", ".txt": "Text", ".json": "JSON", ".yaml": "YAML", ".yml": "YAML", ".toml": "TOML", ".xml": "XML",
	".csv": "CSV", ".svg": "Image", ".png": "Image", ".jpg": "Image", ".jpeg": "Image", ".gif": "Image", ".pdf": "PDF",
	".zip": "Archive", ".gz": "Archive", ".tar": "Archive", ".txtar": "Text", ".tmpl": "Template", ".proto": "Protobuf",
	".lua": "Lua", ".pl": "Perl", ".r": "R", ".scala": "Scala", ".ex": "Elixir", ".erl": "Erlang", ".hs": "Haskell",
	".ml": "OCaml", ".zig": "Zig", ".vue": "Vue", ".tf": "Terraform", ".ipynb": "Notebook",
}
