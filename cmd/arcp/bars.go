package main

import (
	"io"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/arcpkit/arcp/pkg/arcp"
)

// bars draws a bar for each unit of progress at the bottom of a terminal and writes the lines of other events above.
type bars struct {
	progress *mpb.Progress
	byUnit   map[string]*bar
	budget   map[string]*gauge
}

// bar is one of them. The drawing goroutine reads its text.
type bar struct {
	*mpb.Bar
	text atomic.Pointer[string]
}

// maxBars bounds what an agent can fill a terminal with; further units share the first bar.
const maxBars = 4

// barScale keeps three digits behind the point in the whole numbers that bars count in.
const barScale = 1000

func newBars(w io.Writer, more ...mpb.ContainerOption) *bars {
	options := append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithWidth(80)}, more...)
	return &bars{progress: mpb.New(options...), byUnit: map[string]*bar{}, budget: map[string]*gauge{}}
}

func (b *bars) accepted(a *arcp.JobAccepted) error {
	for _, currency := range arcp.Budget(a.Budget).Currencies() {
		if len(b.budget) < maxBars {
			b.budget[currency] = b.newGauge(currency, a.Budget[currency])
		}
	}
	_, err := io.WriteString(b.progress, acceptedLine(a))
	return err
}

func (b *bars) event(ev *arcp.Event) error {
	if p, ok := ev.Body.(*arcp.ProgressBody); ok {
		b.of(p.Units).show(p)
		return nil
	}
	if m, ok := ev.Body.(*arcp.MetricBody); ok && m.Name == arcp.MetricBudgetRemaining && b.budget[m.Unit] != nil {
		b.budget[m.Unit].show(m.Value)
		return nil
	}
	label, text := describe(ev)
	if label == "" {
		return nil
	}
	_, err := io.WriteString(b.progress, eventLine(label, text))
	return err
}

func (b *bars) note(line string) { _, _ = io.WriteString(b.progress, line) }

func (b *bars) of(units string) *bar {
	if len(b.byUnit) >= maxBars && b.byUnit[units] == nil {
		units = ""
	}
	one := b.byUnit[units]
	if one == nil {
		one = b.add()
		b.byUnit[units] = one
	}
	return one
}

func (b *bars) add() *bar {
	one := new(bar)
	one.text.Store(new(string))
	one.Bar = b.progress.AddBar(0,
		mpb.PrependDecorators(decor.Percentage(decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return *one.text.Load() })))
	return one
}

func (b *bar) show(p *arcp.ProgressBody) {
	text := describeProgress(p)
	b.text.Store(&text)
	b.SetTotal(scaled(max(p.Total, p.Current)), false)
	b.SetCurrent(scaled(p.Current))
}

// scaled keeps within what a bar can count.
func scaled(v float64) int64 { return int64(min(max(v, 0), 1e15) * barScale) }

func (b *bars) close() {
	for _, one := range b.byUnit {
		one.Abort(true)
	}
	for _, one := range b.budget {
		one.Abort(true)
	}
	b.progress.Wait()
}
