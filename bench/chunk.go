package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// A streamed result of the chunk rows.
const (
	chunkBytes = 64 << 10
	chunks     = 512
)

func chunkRows() []row {
	return []row{
		{"result_chunk base64 MB/s : limit", ">=", 0.15, func() (string, float64, error) { return resultRow(arcp.EncodingBase64) }},
		{"result_chunk utf8 MB/s : limit", ">=", 0.15, func() (string, float64, error) { return resultRow(arcp.EncodingUTF8) }},
	}
}

// resultRow holds the payload of a streamed result, from the agent's writer to the client's reader, against bare frames that carry the
// same chunks.
func resultRow(encoding arcp.ResultEncoding) (string, float64, error) {
	data := strings.Repeat("a line of a report, with \"quotes\" and an é\n", chunkBytes)[:chunkBytes]
	text := data
	if encoding == arcp.EncodingBase64 {
		text = base64.StdEncoding.EncodeToString([]byte(data))
	}
	e := smallEvent()
	e.Payload = &arcp.JobEvent{Kind: arcp.KindResultChunk, TS: time.Now(), Body: &arcp.ResultChunkBody{
		ResultID: "res_0199c3a2b6f07c1d9a5e4f3b2a1c0d9e", ChunkSeq: 42, Data: text, Encoding: encoding, More: true,
	}}
	frame, err := e.AppendJSON(nil)
	if err != nil {
		return "", 0, err
	}
	return compareRates("MB/s", 1e6, func() (float64, error) {
		return chunkRate(streamResult([]byte(data), encoding))
	}, func() (float64, error) { return chunkRate(limit(chunks, frame)) })
}

func chunkRate(d time.Duration, err error) (float64, error) {
	return chunks * chunkBytes / d.Seconds(), err
}

// streamResult times one job whose result is chunks times data.
func streamResult(data []byte, encoding arcp.ResultEncoding) (time.Duration, error) {
	ctx := context.Background()
	s, err := openWith(&arcprt.Options{Limits: arcprt.Limits{ChunkBytes: chunkBytes}}, agents{"bench": func(ctx context.Context, t *arcprt.Task) error {
		w, err := t.ResultWriter(ctx, encoding)
		for range chunks {
			if err == nil {
				_, err = w.Write(data)
			}
		}
		return err
	}}, (*httptest.Server).Start)
	if err != nil {
		return 0, err
	}
	session, stop, err := s.session()
	if err != nil {
		return 0, err
	}
	defer stop()
	start := time.Now()
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "bench"})
	if err != nil {
		return 0, err
	}
	r, err := job.ResultReader(ctx)
	if err != nil {
		return 0, err
	}
	n, err := readSame(r, data)
	if err == nil && n != chunks*chunkBytes {
		err = fmt.Errorf("%d bytes of a result of %d", n, chunks*chunkBytes)
	}
	return time.Since(start), err
}

// readSame reads to the end and says how many bytes came; the last block is compared with data, which repeats.
func readSame(r io.Reader, data []byte) (n int, err error) {
	buf := make([]byte, len(data))
	for {
		k, err := io.ReadFull(r, buf)
		n += k
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, err
		case !bytes.Equal(buf, data):
			return n, fmt.Errorf("byte %d and its neighbours are not what was written", n)
		}
	}
}
