// Package repo holds tests about the repository as a whole: who may import whom, how large files may grow, whether the code in
// the pages compiles and does what they say. It has no code of its own.
package repo
