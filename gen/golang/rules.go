package golang

import (
	j "github.com/dave/jennifer/jen"

	"github.com/arcpkit/arcp/gen/ir"
)

// ruleFile writes the tables that both ends consult, and the matchers of patterns.
func ruleFile(p *ir.Protocol) (*file, error) {
	f := newFile("rule", "spec")
	emitRuleOf(f, p)
	emitKindRuleOf(f, p)
	for _, s := range p.Scalars {
		if s.Rules.Pattern == "" {
			continue
		}
		if err := emitMatcher(f, s); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func emitRuleOf(f *file, p *ir.Protocol) {
	sides := map[ir.Side]string{ir.FromClient: "FromClient", ir.FromRuntime: "FromRuntime", ir.FromBoth: "FromBoth"}
	f.decl("RuleOf returns the rule of a message type, false for types this package does not know.",
		j.Func().Id("RuleOf").Params(j.Id("t").Id("MessageType")).Params(j.Id("Rule"), j.Bool()).Block(
			j.Switch(j.Id("t")).BlockFunc(func(g *j.Group) {
				for _, m := range p.Messages {
					g.Case(j.Id(m.Const)).Block(j.Return(j.Id("Rule").Values(messageRule(m, sides[m.From])), j.True()))
				}
			}),
			j.Return(j.Id("Rule").Values(), j.False()),
		))
}

func messageRule(m *ir.Message, side string) j.Dict {
	d := j.Dict{j.Id("Type"): j.Id(m.Const), j.Id("From"): j.Id(side)}
	if m.Reply != nil {
		d[j.Id("Reply")] = j.Id(m.Reply.Const)
	}
	if m.Feature != nil {
		d[j.Id("Feature")] = j.Id(m.Feature.Const)
	}
	for name, on := range map[string]bool{"JobScoped": m.JobScoped, "Sequenced": m.Sequenced, "Handshake": m.Handshake} {
		if on {
			d[j.Id(name)] = j.True()
		}
	}
	return d
}

func emitKindRuleOf(f *file, p *ir.Protocol) {
	f.decl("KindRuleOf returns the rule of an event kind, false for kinds this package does not know.",
		j.Func().Id("KindRuleOf").Params(j.Id("k").Id("EventKind")).Params(j.Id("KindRule"), j.Bool()).Block(
			j.Switch(j.Id("k")).BlockFunc(func(g *j.Group) {
				for _, k := range p.Kinds {
					d := j.Dict{j.Id("Kind"): j.Id(k.Const)}
					if k.Feature != nil {
						d[j.Id("Feature")] = j.Id(k.Feature.Const)
					}
					if k.RuntimeOnly {
						d[j.Id("RuntimeOnly")] = j.True()
					}
					g.Case(j.Id(k.Const)).Block(j.Return(j.Id("KindRule").Values(d), j.True()))
				}
			}),
			j.Return(j.Id("KindRule").Values(), j.False()),
		))
}
