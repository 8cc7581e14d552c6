package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// loop reads members in any order.
func (d *decoder) loop() j.Code {
	var cases []j.Code
	for _, fl := range d.o.Fields {
		body := []j.Code{d.once(fl.Index)}
		if fl == d.dynamic {
			body = append(body, j.Id("later").Op("=").Id("d").Dot("Save").Call(), j.Id("d").Dot("Skip").Call())
		} else {
			body = append(body, d.read(fl)...)
		}
		cases = append(cases, j.Case(j.Lit(fl.Wire)).Block(body...))
	}
	for i, a := range d.o.Aliases {
		cases = append(cases, j.Case(j.Lit(a.Wire)).Block(d.alias(len(d.o.Fields)+i, a)...))
	}
	known := []j.Code{j.Id("d"), j.Id("key")}
	for _, fl := range d.o.Fields {
		known = append(known, j.Lit(fl.Wire))
	}
	for _, a := range d.o.Aliases {
		known = append(known, j.Lit(a.Wire))
	}
	cases = append(cases, j.Default().Block(j.Id("unknown").Call(known...)))
	loop := j.For(j.List(j.Id("key"), j.Id("ok")).Op(":=").Id("d").Dot("NextKey").Call(), j.Id("ok"),
		j.List(j.Id("key"), j.Id("ok")).Op("=").Id("d").Dot("NextKey").Call()).Block(j.Switch(j.Id("key")).Block(cases...))
	return j.If(j.Id("seen").Op("==").Lit(0).Op("||").Op("!").Id("d").Dot("Close").Call()).Block(loop)
}

// once refuses a member that was there before, and marks it.
func (d *decoder) once(i int) j.Code {
	return j.If(j.Op("!").Id("first").Call(j.Id("d"), j.Op("&").Id("seen"), bit(i))).Block(j.Return())
}

// alias reads a member under another name. The real name wins wherever it stands: what an alias gave is overwritten.
func (d *decoder) alias(i int, a *ir.Alias) []j.Code {
	body := []j.Code{d.once(i)}
	outer := a.Path[0]
	x := j.Id("v").Dot(outer.Go)
	read := []j.Code{j.Id("flat").Op("|=").Add(bit(i))}
	if len(a.Path) == 2 {
		if !outer.Required {
			read = append(read, j.If(x.Clone().Op("==").Nil()).Block(x.Clone().Op("=").New(j.Id(outer.Type.Object.Go))))
		}
		read = append(read, readInto(a.Path[1], x.Clone().Dot(a.Path[1].Go))...)
	} else {
		read = append(read, readInto(outer, x)...)
	}
	return append(body, j.Switch().Block(
		j.Case(j.Id("flat").Op("&").Parens(bit(outer.Index)).Op("!=").Lit(0)).Block(j.Id("d").Dot("Skip").Call()),
		j.Case(j.Op("!").Id("d").Dot("Null").Call()).Block(read...),
	))
}

// aliased says whether an alias leads to fl. The variable flat then has fl's own bit when its value came by its own name,
// and the bit of each alias a value came by.
func (d *decoder) aliased(fl *ir.Field) bool {
	for _, a := range d.o.Aliases {
		if a.Path[0] == fl {
			return true
		}
	}
	return false
}

func (d *decoder) flat() bool { return len(d.o.Aliases) > 0 }

// wants says whether something may be missing.
func (d *decoder) wants() bool {
	for _, fl := range d.o.Fields {
		if fl.Required {
			return true
		}
	}
	for _, a := range d.o.Aliases {
		if len(a.Path) == 2 && a.Path[1].Required {
			return true
		}
	}
	return false
}

// ending reports the required members that are missing, all at once.
func (d *decoder) ending() []j.Code {
	var code []j.Code
	for _, fl := range d.o.Fields {
		code = append(code, d.aliasPresence(fl)...)
	}
	var required *j.Statement
	var names []j.Code
	for _, fl := range d.o.Fields {
		if !fl.Required {
			continue
		}
		if required == nil {
			required = bit(fl.Index)
		} else {
			required = required.Op("|").Add(bit(fl.Index))
		}
		names = append(names, j.Lit(fl.Wire))
	}
	if required == nil {
		return code
	}
	return append(code, j.If(j.Id("missing").Op(":=").Parens(required).Op("&^").Id("seen"), j.Id("missing").Op("!=").Lit(0)).Block(
		j.Id("reportMissing").Call(append([]j.Code{j.Id("d"), j.Id("at"), j.Id("missing"), j.Parens(required.Clone())}, names...)...)))
}

// aliasPresence lets aliases stand for the field they lead to; the required members of a flat object are wanted then.
func (d *decoder) aliasPresence(fl *ir.Field) []j.Code {
	var all *j.Statement
	var needed []j.Code
	for i, a := range d.o.Aliases {
		if a.Path[0] != fl {
			continue
		}
		b := bit(len(d.o.Fields) + i)
		if all == nil {
			all = b
		} else {
			all = all.Op("|").Add(b)
		}
		if len(a.Path) == 2 && a.Path[1].Required {
			needed = append(needed, j.If(j.Id("flat").Op("&").Parens(bit(len(d.o.Fields)+i)).Op("==").Lit(0)).Block(
				j.Id("d").Dot("Missing").Call(j.Id("at"), j.Lit(a.Wire))))
		}
	}
	if all == nil {
		return nil
	}
	cond := j.Id("flat").Op("&").Parens(bit(fl.Index)).Op("==").Lit(0).Op("&&").Id("flat").Op("&").Parens(all).Op("!=").Lit(0)
	return []j.Code{j.If(cond).Block(append([]j.Code{d.mark(fl)}, needed...)...)}
}
