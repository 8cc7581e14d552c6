package jsonx

import (
	"strings"
	"testing"
	"time"
)

func BenchmarkStringScan(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"8B", strings.Repeat("a", 8)},
		{"48B", strings.Repeat("a log", 10)},
		{"64KiB", strings.Repeat("a", 64<<10)},
		{"1KiB beyond ASCII", strings.Repeat("é", 512)},
		{"1KiB with escapes", strings.Repeat(`a line of text\n`, 64)},
	} {
		frame := []byte(`"` + c.text + `"`)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			var d Decoder
			for b.Loop() {
				d.Reset(frame)
				_ = d.String()
			}
		})
	}
}

func BenchmarkSmallObject(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"predicted", `{"name":"a name of some length","x":12,"y":-2}`},
		{"other order", `{"y":-2,"x":12,"name":"a name of some length"}`},
	} {
		frame := []byte(c.text)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			var d Decoder
			var p point
			for b.Loop() {
				d.Reset(frame)
				p.read(&d)
				if d.End(); d.Failed() {
					b.Fatal(d.Err())
				}
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	frame := []byte(`{"tool":"search","args":{"query":"some words","limit":10,"tags":["a","b"],"deep":{"x":1.5,"y":null}}}`)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Scan(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTime(b *testing.B) {
	for b.Loop() {
		ParseTime("2026-11-24T13:05:55.120Z")
	}
}

func BenchmarkAppend(b *testing.B) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 120_000_000, time.UTC)
	text := strings.Repeat("a log line ", 5)
	buf := make([]byte, 0, 256)
	b.Run("string 55B", func(b *testing.B) {
		for b.Loop() {
			AppendString(buf, text)
		}
	})
	b.Run("time", func(b *testing.B) {
		for b.Loop() {
			AppendTime(buf, at)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	text := []byte(`{"agent":"index@1.0.0","input":{"path":"/data/in","depth":3,"tags":["a","b"]},"lease_request":{"fs.read":["/data/**"]},"max_runtime_sec":60}`)
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		out, _ = AppendCanonical(out[:0], text)
	}
}
