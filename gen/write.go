package gen

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// Write puts what Generate gives into the tree at root, leaving files alone that are as they should be. Orphans are removed
// where generated files of their kind live; others are left to whoever put them there. It returns the paths it touched.
func Write(root string) ([]string, error) {
	tree := os.DirFS(root)
	files, err := Generate(tree)
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	kinds := map[string]bool{}
	for _, f := range files {
		data[f.Path] = f.Data
		kinds[kind(f.Path)] = true
	}
	found, err := Check(tree)
	if err != nil {
		return nil, err
	}
	var touched []string
	for _, f := range found {
		if f.Problem == "orphaned" && !kinds[kind(f.Path)] {
			continue
		}
		if err := apply(filepath.Join(root, filepath.FromSlash(f.Path)), f.Problem, data[f.Path]); err != nil {
			return touched, fmt.Errorf("%s: %w", f.Path, err)
		}
		touched = append(touched, f.Path)
	}
	return touched, nil
}

// kind is a file's folder and extension.
func kind(file string) string { return path.Dir(file) + "/*" + path.Ext(file) }

func apply(path, problem string, data []byte) error {
	if problem == "orphaned" {
		return os.Remove(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
