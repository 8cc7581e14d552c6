package ws

import "testing"

// guards T9
func TestCensus(t *testing.T) {
	t.Parallel()
	c := newCensus(5, 2)
	for _, tc := range []struct {
		from string
		want bool
	}{
		{"192.0.2.1:1", true},
		{"192.0.2.1:2", true},
		{"192.0.2.1:3", false},
		{"[::ffff:192.0.2.1]:4", false},
		{"[2001:db8::1]:1", true},
		{"[2001:db8::2]:1", true},
		{"[2001:db8::3%eth0]:1", false},
		{"127.0.0.1:1", true},
		{"127.0.0.1:2", false},
	} {
		if got := c.enter(hostKey(tc.from)); got != tc.want {
			t.Errorf("enter(%s) = %v, want %v", tc.from, got, tc.want)
		}
	}
	c.leave(hostKey("192.0.2.1:1"))
	if !c.enter(hostKey("192.0.2.1:5")) {
		t.Error("a host whose connection left is not let in again")
	}
	empty := c.shut()
	if c.enter(hostKey("192.0.2.9:1")) {
		t.Error("let in after shut")
	}
	for _, from := range []string{"192.0.2.1:2", "192.0.2.1:5", "[2001:db8::1]:1", "[2001:db8::2]:1", "127.0.0.1:1"} {
		select {
		case <-empty:
			t.Fatal("empty before everybody has left")
		default:
		}
		c.leave(hostKey(from))
	}
	<-c.shut()
	if len(c.byHost) != 0 {
		t.Errorf("hosts left over: %v", c.byHost)
	}
}
