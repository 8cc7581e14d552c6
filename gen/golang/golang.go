package golang

import "github.com/arcpkit/arcp/gen/ir"

// Emit writes the generated files of pkg/arcp, in a fixed order.
func Emit(p *ir.Protocol) ([]ir.File, error) {
	var files []*file
	for _, name := range p.Files {
		files = append(files, typeFile(p, name), codecFile(p, name))
	}
	rules, err := ruleFile(p)
	if err != nil {
		return nil, err
	}
	files = append(files, rules, dispatchFile(p), combinedFile(p), shadowFile(p), limitFile(p))
	var out []ir.File
	for _, f := range files {
		if f == nil {
			continue
		}
		rendered, err := f.render()
		if err != nil {
			return nil, err
		}
		out = append(out, rendered)
	}
	return out, nil
}

// object is anything with a struct: shared object, payload, body.
type object struct {
	*ir.Object
	message *ir.Message
	kind    *ir.Kind
}

// objectsOf lists the structs that come from one spec file.
func objectsOf(p *ir.Protocol, file string) []object {
	var out []object
	for _, o := range p.Objects {
		if o.File == file {
			out = append(out, object{Object: o})
		}
	}
	for _, m := range p.Messages {
		if m.File == file {
			out = append(out, object{Object: &m.Object, message: m})
		}
	}
	for _, k := range p.Kinds {
		if k.File == file {
			out = append(out, object{Object: &k.Object, kind: k})
		}
	}
	return out
}
