package golang

import (
	"strings"

	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// codecFile writes encoders, decoders and validators of the structs that come from one spec file, nil if there are none.
func codecFile(p *ir.Protocol, name string) *file {
	objects := objectsOf(p, name)
	envelope := name == p.Envelope.File
	if len(objects) == 0 && !envelope {
		return nil
	}
	f := newFile(area(name)+"_codec", "spec/"+name)
	if envelope {
		emitEnvelope(f, p)
	}
	for _, o := range objects {
		emitEncoder(f, o.Object)
		emitDecoder(f, o.Object)
		emitValidator(f, o.Object)
	}
	for _, o := range listed(p, name) {
		emitListDecoder(f, o)
	}
	return f
}

// listed are the shared objects of one spec file that some field holds a list of.
func listed(p *ir.Protocol, file string) []*ir.Object {
	var out []*ir.Object
	for _, o := range p.Objects {
		if o.File == file && inList(p, o) {
			out = append(out, o)
		}
	}
	return out
}

func inList(p *ir.Protocol, o *ir.Object) bool {
	for _, file := range p.Files {
		for _, holder := range objectsOf(p, file) {
			for _, fl := range holder.Fields {
				if fl.Type.Base == ir.List && fl.Type.Elem.Object == o {
					return true
				}
			}
		}
	}
	return false
}

// method starts func (v *T).
func method(typ string) *j.Statement { return j.Func().Params(j.Id("v").Op("*").Id(typ)) }

func jsonx(name string) *j.Statement { return j.Qual(jsonxPath, name) }

func quoted(name string) string { return `"` + name + `":` }

// raw is a string literal between backquotes: JSON text stays readable.
func raw(s string) *j.Statement {
	if strings.ContainsAny(s, "`\\") || !strings.Contains(s, `"`) {
		return j.Lit(s)
	}
	return j.Op("`" + s + "`")
}
