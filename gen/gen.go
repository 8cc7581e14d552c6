// Package gen turns the description of the protocol in spec/ into the files that are made from it.
//
// Generate is pure: it reads a tree and returns files. Check compares them with a tree, Write puts them into one.
package gen

import (
	"io/fs"

	"github.com/arcpkit/arcp/gen/golang"
	"github.com/arcpkit/arcp/gen/ir"
	"github.com/arcpkit/arcp/gen/schema"
	"github.com/arcpkit/arcp/gen/spec"
	"github.com/arcpkit/arcp/gen/text"
	"github.com/arcpkit/arcp/gen/vectors"
	"github.com/arcpkit/arcp/templates"
)

// File is one generated file.
type File = ir.File

// Generate reads spec/ in tree, the root of the repository, and returns every generated file in a fixed order. An error
// about the spec lists all that is wrong with it; see spec.Error.
func Generate(tree fs.FS) ([]File, error) {
	p, err := spec.Load(tree, "spec")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, emit := range emitters() {
		made, err := emit(p, tree)
		if err != nil {
			return nil, err
		}
		files = append(files, made...)
	}
	return files, nil
}

// emitters are the ways to write a protocol down, in the order of their files.
func emitters() []func(*ir.Protocol, fs.FS) ([]File, error) {
	return []func(*ir.Protocol, fs.FS) ([]File, error){
		func(p *ir.Protocol, _ fs.FS) ([]File, error) { return golang.Emit(p) },
		func(p *ir.Protocol, _ fs.FS) ([]File, error) { return schema.Emit(p) },
		func(p *ir.Protocol, _ fs.FS) ([]File, error) { return text.Emit(p, templates.FS) },
		func(p *ir.Protocol, _ fs.FS) ([]File, error) { return vectors.Emit(p) },
	}
}
