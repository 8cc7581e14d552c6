package runtime

import "container/list"

// cache is the finished jobs whose logs are in memory although the store keeps them, too, those that were wanted longest ago first. What is over
// FinishedBytes is read from the store again when somebody wants it. Its user holds rt.mu.
type cache struct {
	jobs  list.List
	bytes int64
	most  int64
	off   bool // the store is memory: there is nothing to be had by it
}

// add takes note of a log that is in memory.
func (c *cache) add(j *job) {
	if c.off || j.cached != nil {
		return
	}
	j.cached, j.cachedBytes = c.jobs.PushBack(j), int64(j.log.Bytes())
	c.bytes += j.cachedBytes
	for n := c.jobs.Len() - 1; n > 0 && c.bytes > c.most; n-- { // the newest is about to be read
		old := c.jobs.Front().Value.(*job)
		if old.users > 0 || old.log.Unload() == 0 { // in use, or its end is not committed yet
			c.jobs.MoveToBack(old.cached)
			c.jobs.MoveToBack(j.cached)
			continue
		}
		c.drop(old)
	}
}

// drop forgets a job.
func (c *cache) drop(j *job) {
	if j.cached != nil {
		c.jobs.Remove(j.cached)
		c.bytes -= j.cachedBytes
		j.cached = nil
	}
}

// fetched is told of each log that was read from the store again.
func (rt *Runtime) fetched(id string) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if j := rt.jobs[id]; j != nil && !j.remote.Load() {
		rt.cache.add(j)
	}
}
