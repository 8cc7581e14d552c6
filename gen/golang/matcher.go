package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

func matcher(s *ir.Scalar) string { return "match" + s.Go }

// emitMatcher writes func match<Scalar>(string) bool: the pattern as a table, a step a byte.
func emitMatcher(f *file, s *ir.Scalar) error {
	a, err := compile(s.Rules.Pattern)
	if err != nil {
		return err
	}
	class := make([]byte, len(a.classOf))
	for i, c := range a.classOf {
		class[i] = '0' + c
	}
	accepts := make([]byte, len(a.accepts))
	for i, ok := range a.accepts {
		accepts[i] = '-'
		if ok {
			accepts[i] = '+'
		}
	}
	f.decl(matcher(s)+" is "+s.Rules.Pattern+", as a table of states by classes of bytes.",
		j.Func().Id(matcher(s)).Params(j.Id("s").String()).Bool().Block(
			j.Const().Defs(
				j.Id("class").Op("=").Lit(string(class)),
				j.Id("next").Op("=").Lit(string(a.next)),
				j.Id("accepts").Op("=").Lit(string(accepts)),
			),
			j.Id("state").Op(":=").Lit(0),
			j.For(j.Id("i").Op(":=").Range().Len(j.Id("s"))).Block(
				j.If(j.Int().Call(j.Id("s").Index(j.Id("i"))).Op(">=").Len(j.Id("class"))).Block(j.Return(j.False())),
				j.Id("state").Op("=").Int().Call(j.Id("next").Index(
					j.Id("state").Op("*").Lit(a.classes).Op("+").Int().Call(j.Id("class").Index(j.Id("s").Index(j.Id("i"))).Op("-").LitRune('0')))),
			),
			j.Return(j.Id("accepts").Index(j.Id("state")).Op("==").LitRune('+')),
		))
	return nil
}
