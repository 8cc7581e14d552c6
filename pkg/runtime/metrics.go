package runtime

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// WriteMetrics writes the runtime's Stats in the text format of Prometheus. There is no principal, session or job in it.
func (rt *Runtime) WriteMetrics(w io.Writer) error {
	s := rt.Stats()
	out := bufio.NewWriter(w)
	ready := int64(0)
	if s.Ready {
		ready = 1
	}
	for _, m := range []struct {
		name, help string
		value      any
	}{
		{"arcp_ready", "1 while connections and jobs are taken.", ready},
		{"arcp_connections", "Connections that carry a session.", s.Connections},
		{"arcp_sessions", "Sessions, live and waiting to be resumed.", s.Sessions},
		{"arcp_sessions_parked", "Sessions waiting to be resumed.", s.Parked},
		{"arcp_jobs", "Unfinished jobs.", s.Jobs},
		{"arcp_jobs_finished", "Finished jobs remembered.", s.Finished},
		{"arcp_subscriptions", "Subscriptions to unfinished jobs.", s.Subscriptions},
		{"arcp_principals", "Principals that have any of these.", s.Principals},
		{"arcp_credentials", "Credentials minted and live.", s.Credentials},
		{"arcp_credentials_unrevoked", "Credentials that are being minted, or to be revoked.", s.Unrevoked},
		{"arcp_credentials_unrevocable", "Credentials that could not be revoked.", s.Unrevocable},
		{"arcp_credentials_minted_total", "Credentials and new values of them minted.", s.Minted},
		{"arcp_credentials_revoked_total", "Credentials and values of them revoked.", s.Revoked},
		{"arcp_stored_bytes", "Bytes kept of the events of all jobs.", s.StoredBytes},
		{"arcp_sessions_opened_total", "Sessions opened.", s.Opened},
		{"arcp_sessions_resumed_total", "Sessions resumed, each time.", s.Resumed},
		{"arcp_sessions_closed_total", "Sessions closed, by their client or because nobody came back in time.", s.Closed},
		{"arcp_jobs_submitted_total", "Jobs accepted.", s.Submitted},
		{"arcp_jobs_ended_total", "Jobs ended, by their final status.", byLabel("status", s.Ended)},
		{"arcp_cancels_total", "Cancels obeyed.", s.Cancelled},
		{"arcp_subscribes_total", "Subscriptions made.", s.Subscribed},
		{"arcp_refused_total", "Requests refused, by their error code.", byLabel("code", s.Refused)},
		{"arcp_readers_cut_total", "Links cut because their readers were too slow.", s.Cut},
		{"arcp_events_total", "Events and ends of jobs committed.", s.Events},
		{"arcp_event_bytes_total", "Bytes of those.", s.EventBytes},
		{"arcp_foreign_costs_total", "Metrics of costs in a currency without a budget, of jobs that have one in others.", s.ForeignCosts},
		{"arcp_batches_total", "Commits they took.", s.Batches},
	} {
		kind := "gauge"
		if strings.HasSuffix(m.name, "_total") {
			kind = "counter"
		}
		fmt.Fprintf(out, "# HELP %s %s\n# TYPE %[1]s %[3]s\n", m.name, m.help, kind)
		if labelled, ok := m.value.([]labelled); ok {
			for _, l := range labelled {
				fmt.Fprintf(out, "%s{%s=%q} %d\n", m.name, l.label, l.value, l.n)
			}
			continue
		}
		fmt.Fprintf(out, "%s %d\n", m.name, m.value)
	}
	return out.Flush()
}

// labelled is one of the numbers of a metric that has a label.
type labelled struct {
	label, value string
	n            uint64
}

func byLabel[K ~string](label string, of map[K]uint64) []labelled {
	var all []labelled
	for _, k := range slices.Sorted(maps.Keys(of)) {
		all = append(all, labelled{label, string(k), of[k]})
	}
	return all
}
