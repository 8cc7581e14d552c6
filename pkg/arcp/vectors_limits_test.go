package arcp_test

import (
	"testing"

	"github.com/arcpkit/arcp/internal/jsonx"
	"github.com/arcpkit/arcp/pkg/arcp"
)

// The cursor is a leaf and has its own constants; the spec's are those others are told.
func TestCursorKeepsTheLimits(t *testing.T) {
	t.Parallel()
	if jsonx.MaxDepth != arcp.LimitDepth || jsonx.MaxNumberLen != arcp.LimitNumberLength {
		t.Errorf("the cursor allows %d levels and numbers of %d bytes, the spec %d and %d",
			jsonx.MaxDepth, jsonx.MaxNumberLen, arcp.LimitDepth, arcp.LimitNumberLength)
	}
}
