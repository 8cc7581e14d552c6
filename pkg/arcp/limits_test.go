package arcp_test

import (
	"testing"

	"github.com/arcpkit/arcp/internal/glob"
	"github.com/arcpkit/arcp/internal/jsonx"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
)

// What stands below the messages cannot see the spec and has constants of its own; the spec's are those others are told.
func TestLimitsAgree(t *testing.T) {
	t.Parallel()
	for _, l := range []struct {
		name       string
		kept, said int
	}{
		{"jsonx.MaxDepth", jsonx.MaxDepth, arcp.LimitDepth},
		{"jsonx.MaxNumberLen", jsonx.MaxNumberLen, arcp.LimitNumberLength},
		{"glob.MaxPattern", glob.MaxPattern, arcp.LimitPatternLength},
		{"transport.DefaultMaxFrame", transport.DefaultMaxFrame, arcp.LimitFrameIn},
	} {
		if l.kept != l.said {
			t.Errorf("%s is %d, the spec says %d", l.name, l.kept, l.said)
		}
	}
}
