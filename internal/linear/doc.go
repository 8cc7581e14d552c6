// Package linear holds two promises of a runtime against sequential models, with histories that many sessions make at once: a submit
// with a key (§7.2), and the use of resume tokens (§6.3). Porcupine looks for an order of the operations that the model allows. Each
// model is shown to bite by mutants of its histories.
package linear
