package main

import (
	"strconv"

	"github.com/arcpkit/arcp/cmd/arcp/internal/term"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// gauge is a bar that shows how much is left of a budget.
type gauge struct {
	*bar
	currency string
	granted  arcp.Amount
}

func (b *bars) newGauge(currency string, granted arcp.Amount) *gauge {
	g := &gauge{bar: b.add(), currency: currency, granted: granted}
	g.SetTotal(scaled(float(granted.String())), false)
	g.show(arcp.Number(granted.String()))
	return g
}

func (g *gauge) show(left arcp.Number) {
	text := join(term.Line(g.currency), term.Line(string(left)), "of", term.Line(g.granted.String()), "left")
	g.text.Store(&text)
	g.SetCurrent(scaled(float(string(left))))
}

// float is near enough for a bar.
func float(number string) float64 {
	f, _ := strconv.ParseFloat(number, 64)
	return f
}
